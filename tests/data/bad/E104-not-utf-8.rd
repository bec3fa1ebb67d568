<resource schema="bad" resdir=".">
  <execute title="Für uns" at="1:00"><job><code>pass</code></job></execute>
</resource>
