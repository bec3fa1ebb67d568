<resource schema="dust" resdir=".">
<procDef id="a" original="b"/>
<procDef id="b"><code>pass</code></procDef>
  <execute title="Tidy up" at="7:30">
    <job procDef="a"></job>
  </execute>
</resource>
