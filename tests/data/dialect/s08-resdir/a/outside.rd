<resource schema="a" resdir="../s08-resdir-of-others">
  <execute title="List" every="3600">
    <job><code>print("\resdir/*.fits")</code></job>
  </execute>
</resource>
