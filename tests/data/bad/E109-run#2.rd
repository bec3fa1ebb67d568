<resource schema="test" resdir=".">
  <execute title="Fetch" every="3600">
    <job><code>execDef.spawn("fetch")</code></job>
  </execute>
</resource>
