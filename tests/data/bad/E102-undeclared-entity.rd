<resource schema="bad" resdir=".">
  <execute title="A&nbsp;B" at="1:00"><job><code>pass</code></job></execute>
</resource>
