<resource schema="bad" resdir=".">
  <execute title="T" at="1:00"><job><code>
    execDef.spawn("dachs imp \rdID")
    print("a\nfoo")
  </code></job></execute>
</resource>
