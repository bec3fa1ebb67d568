<resource schema="bad" resdir="/nowhere/at/all">
  <execute title="T" at="1:00"><job><code>pass</code></job></execute>
</resource>
