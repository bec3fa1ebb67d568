<resource schema="bad" resdir=".">
  <execute title="T" at="1:00"><job><code>
    if True:
        x = 1
      y = 2
  </code></job></execute>
  <execute title="U" at="1:00"><job><code>
      x = 1
    y = 2
  </code></job></execute>
  <execute title="V" at="1:00"><job><code>
      if True:
      y = 2
  </code></job></execute>
</resource>
