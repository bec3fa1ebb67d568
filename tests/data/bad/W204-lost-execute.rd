<resource schema="bad" resdir=".">
  <data id="d">
    <execute title="T" at="1:00"><job><code>pass</code></job></execute>
  </data>
</resource>
