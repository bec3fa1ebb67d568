<resource schema="bad" resdir=".">
  <execute id="a" title="T" at="1:00"><job><code>pass</code></job></execute>

  <execute id="a" title="U" at="1:00"><job><code>pass</code></job></execute>
</resource>
