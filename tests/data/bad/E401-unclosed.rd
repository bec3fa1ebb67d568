<resource schema="bad" resdir=".">
  <execute title="T" at="1:00"><job><code>
    x = (1,
    y = 2
  </code></job></execute>
</resource>
