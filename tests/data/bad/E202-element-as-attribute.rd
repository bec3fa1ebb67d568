<resource schema="bad" resdir=".">
  <execute title="T" at="1:00" property="x"><job><code>pass</code></job></execute>
</resource>
