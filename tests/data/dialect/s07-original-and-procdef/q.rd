<resource schema="dust" resdir=".">
  <procDef id="x"><setup imports="os"/><code>x()</code></procDef>
  <procDef id="y"><setup imports="re"/><code>y()</code></procDef>
  <execute id="a" title="A" at="7:30">
    <job original="x" procDef="y"></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job id="j" procDef="x"><setup imports="sys"/></job>
  </execute>
  <execute id="c" title="A" at="7:30">
    <job original="j" procDef="y"></job>
  </execute>
  <execute id="d" title="A" at="7:30">
    <job id="k"><procDef><setup imports="math"/><code>z()</code></procDef></job>
  </execute>
  <execute id="e" title="A" at="7:30">
    <job original="k"></job>
  </execute>
</resource>
