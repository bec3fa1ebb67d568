<resource schema="bad" resdir=".">
  <execute title="T" at="1:00" title="U"><job><code>pass</code></job></execute>
</resource>
