<resource schema="bad" resdir=".">
  <execute title="T" at="1:00"><code>pass</code><job><code>pass</code></job></execute>
</resource>
