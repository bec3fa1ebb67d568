<resource schema="s" resdir=".">
  <execute title="Today" every="3600">
    <job><code>print("\today")</code></job>
  </execute>
  <execute title="Empty" every="3600">
    <job><code>print("\magicEmpty{}", "\magicEmpty{full}")</code></job>
  </execute>
  <execute title="Test" every="3600">
    <job><code>print("\test" == "\test{a}" == "\test{a}{b}{c}{d}")</code></job>
  </execute>
</resource>
