<resource schema="bad" resdir=".">
  <execute title="T" evry="3600" at="1:00"><job><code>pass</code></job></execute>
</resource>
