<resource schema="plates" resdir=".">
  <macDef name="two-words">never found</macDef>
  <execute title="Names" every="3600">
    <job><code>print("\two-words")</code></job>
  </execute>
</resource>
