<resource schema="dust" resdir=".">
  <procDef id="walk">
    <doc>Walks through the folders.</doc>
    <setup imports="os">
      <par key="depth">3</par>
      <par key="start" late="True">rd.resdir</par>
      <code>
        def walk(top):
            return os.walk(top, depth)
      </code>
    </setup>
    <code>
      walk(start)
    </code>
  </procDef>
  <execute id="a" title="A" at="7:30">
    <job procDef="walk"><bind key="depth"> 1 + 1 </bind><bind name="start">rd.getAbsPath("data")</bind></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job procDef="walk"><bind key=" depth ">[
        1,
        2]</bind></job>
  </execute>
  <execute id="c" title="A" at="7:30">
    <job><bind key="depth">17</bind>
      <setup><par key="depth">1</par></setup>
      <code>pass</code></job>
  </execute>
  <execute id="d" title="A" at="7:30">
    <job procDef="walk"><bind key="depth">len("\rdId")</bind></job>
  </execute>
  <execute id="e" title="A" at="7:30">
    <job procDef="walk"><bind key="depth"><![CDATA[1 < 2]]></bind></job>
  </execute>
</resource>
