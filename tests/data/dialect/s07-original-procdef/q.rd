<resource schema="dust" resdir=".">
  <execute id="a" title="A" at="7:30">
    <job original="lib#walk"></job>
  </execute>
  <procDef id="mine" original="lib#walk"><setup imports="re"/></procDef>
  <execute id="b" title="A" at="7:30">
    <job procDef="mine"></job>
  </execute>
  <procDef id="other" original="mine"><code>other()</code></procDef>
  <execute id="c" title="A" at="7:30">
    <job procDef="other"></job>
  </execute>
</resource>
