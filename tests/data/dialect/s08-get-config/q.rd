<resource schema="s" resdir=".">
  <execute title="One name" every="3600">
    <job><code>print("\getConfig{cacheDir}")</code></job>
  </execute>
  <execute title="Section and name" every="3600">
    <job><code>print("\getConfig{web}{serverURL}", "\getConfig{GENERAL}{MaintainerAddress}")</code></job>
  </execute>
</resource>
