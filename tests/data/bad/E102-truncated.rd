<resource schema="bad" resdir=".">
  <execute title="T" at="1:00"><job><code>pass</code></job></e