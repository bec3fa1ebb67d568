<resource schema="bad" resdir=".">
  <execute title="T" at="1:00"><job><code>
    x = re.match("\d\+", "\rdId\+x")
  </code></job></execute>
</resource>
