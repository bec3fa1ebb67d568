<resource schema="plates" resdir=".">
  <execute title="Both days" at="w3 m12 7:30"><job><code>pass</code></job></execute>
  <execute title="Both days" id="b" at="m12 w3 7:30"><job><code>pass</code></job></execute>
  <execute title="pm" at="7:30pm"><job><code>pass</code></job></execute>
  <execute title="Seconds" at="7:30:15"><job><code>pass</code></job></execute>
  <execute title="Two" at="7:30 9:30"><job><code>pass</code></job></execute>
  <execute title="Zone" at="7:30+02:00"><job><code>pass</code></job></execute>
  <execute title="Late" at="m30 7:30"><job><code>pass</code></job></execute>
</resource>
