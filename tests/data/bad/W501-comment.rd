<resource schema="bad" resdir=".">
  <execute title="T" at="1:00"><job><code>
    x = "# \schema" # \nope{a} and \upper
  </code></job></execute>
</resource>
