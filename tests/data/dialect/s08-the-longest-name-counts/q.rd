<resource schema="plates" resdir=".">
  <macDef name="schema_raw">plates_raw.all</macDef>
  <execute title="Names" every="3600">
    <job><code>
      print("\schema_raw", "\schema.raw", "\schema-raw", "\schema\+_raw")
    </code></job>
  </execute>
</resource>
