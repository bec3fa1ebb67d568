<resource schema="bad" resdir=".">
  <execute title="T" at="1:00"><job><code>pass</code></job></execute>
  <execute title="T" at="1:00"><job><code>pass</code></job></execute>
  <execute title="t!" at="2:00"><job><code>pass</code></job></execute>
</resource>
