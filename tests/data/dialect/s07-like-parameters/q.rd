<resource schema="dust" resdir=".">
  <procDef id="p"><setup><par key="n">1</par></setup><setup><par key="n" late="True">2</par></setup><code>rd.walk(n)</code></procDef>
  <execute id="a" title="A" at="7:30">
    <job procDef="p"><setup><par key="n">3</par></setup></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job procDef="p"><setup><par key="n">3</par></setup><bind key="n">4</bind></job>
  </execute>
</resource>
