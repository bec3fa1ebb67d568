<resource schema="bad" resdir=".">
  <execute title="T" at="1:00" every="60"><job><code>pass</code></job></execute>
</resource>
