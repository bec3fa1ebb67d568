<resource schema="bad" resdir=".">
  <execute title="T" at="1:00"><job><code>
    for i in range(3):
        "é"; yield i
  </code></job></execute>
</resource>
