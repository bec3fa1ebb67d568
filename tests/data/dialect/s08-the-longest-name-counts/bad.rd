<resource schema="plates" resdir=".">
  <execute title="Names" every="3600">
    <job><code>
      print("\schema_raw")
      print("\schemas")
      print("\Schema")
    </code></job>
  </execute>
</resource>
