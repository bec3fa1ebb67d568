<resource schema="bad" resdir=".">
  <execute at="1:00"><tittle>T</tittle><job><code>pass</code></job></execute>
</resource>
