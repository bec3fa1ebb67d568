<resource schema="dust" resdir=".">
  <execute id="a" title="A" at="7:30">
    <job><procDef><code>pass</code></procDef></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job><procDef code="pass"/></job>
  </execute>
  <execute id="c" title="A" at="7:30">
    <job><procDef id="here"><setup><par key="n">1</par></setup><code>rd.walk(n)</code></procDef>
    <bind key="n">2</bind></job>
  </execute>
  <execute id="d" title="A" at="7:30">
    <job procDef="here"></job>
  </execute>
</resource>
