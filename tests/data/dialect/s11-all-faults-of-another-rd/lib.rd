<resource schema="dust" resdir=".">
  <procDef id="p">
    <setup imports="os; re">
      <par key="a-b">1</par>
      <par key="n">1 +</par>
      <code>x = \nowhere</code>
    </setup>
    <code>print "n"</code>
  </procDef>
  <execute title="Lib" at="7:30">
    <job id="j"><setup><par key="n">1</par></setup><bind key="m">2</bind><bind key="n">2 3</bind></job>
  </execute>
</resource>
