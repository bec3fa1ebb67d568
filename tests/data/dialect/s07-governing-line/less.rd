<resource schema="dust" resdir=".">
  <execute id="a" title="A" at="7:30">
    <job><code>
        x = 1
      y = 2
        z = 3
</code></job>
  </execute>
</resource>
