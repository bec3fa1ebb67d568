<resource schema="dust" resdir=".">
<procDef id="tidy.v2"><code>pass</code></procDef>
  <execute title="Tidy up" at="7:30">
    <job procDef="tidy.v2"></job>
  </execute>
</resource>
