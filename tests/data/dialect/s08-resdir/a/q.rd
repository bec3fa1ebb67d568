<resource schema="a" resdir="raw/night/">
  <execute title="List" every="3600">
    <job><code>print("\resdir/*.fits")</code></job>
  </execute>
</resource>
