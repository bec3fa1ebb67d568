<resource schema="bad" resdir=".">
  <execute title="T" at="1:00"><job><code>
    if a && b: pass
  </code></job></execute>
</resource>
