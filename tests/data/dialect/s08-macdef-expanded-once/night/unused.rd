<resource schema="plates" resdir=".">
  <macDef name="broken">\nothing</macDef>
  <execute title="Not used" every="3600">
    <job><code>print("whatever")</code></job>
  </execute>
</resource>
