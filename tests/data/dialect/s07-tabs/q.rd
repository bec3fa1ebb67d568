<resource schema="dust" resdir=".">
  <execute id="a" title="A" at="7:30">
    <job><code>
	if x:
		y()
	z()
</code></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job><code>
	    x = 1
	    y = 2</code></job>
  </execute>
</resource>
