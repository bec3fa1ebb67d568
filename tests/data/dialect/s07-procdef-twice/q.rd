<resource schema="dust" resdir=".">
  <procDef id="a"><code>a()</code></procDef>
  <procDef id="b"><code>b()</code></procDef>
  <execute id="x" title="A" at="7:30">
    <job procDef="a"><procDef>b</procDef></job>
  </execute>
  <execute id="y" title="A" at="7:30">
    <job procDef="a"><procDef code="c()"/></job>
  </execute>
</resource>
