<resource schema="bad" resdir=".">
  <execute title="T"><job><code>pass</code></job></execute>
</resource>
