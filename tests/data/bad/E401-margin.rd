<resource schema="bad" resdir=".">
  <execute title="T" at="1:00"><job><code>
        if a:
            b()
    else:
        c()
  </code></job></execute>
</resource>
