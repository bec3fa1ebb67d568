<resource schema="plates" resdir=".">
  <macDef name="path">\path:/data</macDef>
  <execute title="Self" every="3600">
    <job><code>print("\path")</code></job>
  </execute>
</resource>
