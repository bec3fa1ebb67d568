<resource schema="dust" resdir=".">
<procDef id="tidy"><code>pass</code></procDef>
  <execute title="Tidy up" at="7:30">
    <job procDef="obs/q#tidy"></job>
  </execute>
</resource>
