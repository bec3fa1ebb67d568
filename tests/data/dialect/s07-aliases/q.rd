<resource schema="dust" resdir=".">
  <procDef id="p"><setup><par key="depth" alias="levels">1</par></setup><code>rd.walk(depth)</code></procDef>
  <execute id="a" title="A" at="7:30">
    <job procDef="p"><bind key="levels">2</bind></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job procDef="p"><bind key="depth">3</bind></job>
  </execute>
</resource>
