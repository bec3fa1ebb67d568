<resource schema="dust" resdir=".">
  <execute id="a" title="A" at="7:30">
    <job><code>
        if x:
	    y = 2
</code></job>
  </execute>
</resource>
