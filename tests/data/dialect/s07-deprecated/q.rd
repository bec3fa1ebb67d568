<resource schema="dust" resdir=".">
  <procDef id="p" deprecated="use walk2"><code>pass</code></procDef>
  <execute id="a" title="A" at="7:30">
    <job procDef="p"></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job original="p"></job>
  </execute>
  <execute id="c" title="A" at="7:30">
    <job deprecated="do not use"></job>
  </execute>
  <execute id="d" title="A" at="7:30">
    <job><procDef>p</procDef></job>
  </execute>
  <execute id="e" title="A" at="7:30">
    <job><procDef deprecated="at once"><code>pass</code></procDef></job>
  </execute>
  <procDef id="heir" original="p"/>
  <execute id="f" title="A" at="7:30">
    <job procDef="heir"></job>
  </execute>
  <procDef id="fine" deprecated="" code="pass"/>
  <execute id="g" title="A" at="7:30">
    <job procDef="fine"></job>
  </execute>
</resource>
