<resource schema="dust" resdir=".">
  <execute title="Tidy up" at="7:30">
    <job procDef="in-full#tidy"></job>
  </execute>
<procDef id="tidy"><code>pass</code></procDef>
</resource>
