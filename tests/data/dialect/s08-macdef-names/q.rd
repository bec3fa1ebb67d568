<resource schema="plates" resdir=".">
  <macDef name="two-words">never found</macDef>
  <macDef name="7z">never found</macDef>
  <macDef name="_a1">found</macDef>
  <macDef name="n">never found</macDef>
  <execute title="Names" every="3600">
    <job><code>print("\_a1", "\n", "\7z")</code></job>
  </execute>
</resource>
