<resource schema="dust" resdir=".">
  <execute id="a" title="Tidy
    up" at="7:30,
	8:30">
    <job code="x = 1&#10;y = 2"/>
  </execute>
  <execute title="Tidy up" at="7:30">
    <job><code>
      x = 1
      y = 2
    </code></job>
  </execute>
</resource>
