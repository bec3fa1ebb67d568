<resource schema="plates" resdir=".">
  <execute title="Sound" every="3600">
    <job><code>print("sound")</code></job>
  </execute>
  <execute title="Broken" every="never">
    <job><code>print("broken"</code></job>
  </execute>
</resource>
