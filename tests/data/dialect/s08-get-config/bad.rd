<resource schema="s" resdir=".">
  <execute title="Bad" every="3600">
    <job><code>
      print("\getConfig{nonsense}")
      print("\getConfig{web}{cacheDir}")
      print("\getConfig")
      print("\getConfig{web}{serverURL}{x}")
    </code></job>
  </execute>
</resource>
