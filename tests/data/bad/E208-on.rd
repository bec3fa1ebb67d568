<resource schema="bad" resdir=".">
  <execute title="T" on="loaded"><job><code>pass</code></job></execute>
</resource>
