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
    <job procDef="walk"><bind key="dept">1</bind></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job procDef="walk"><bind>1</bind></job>
  </execute>
  <execute id="c" title="A" at="7:30">
    <job procDef="walk"><bind key="depth"/></job>
  </execute>
  <execute id="d" title="A" at="7:30">
    <job procDef="walk"><bind key="depth"> </bind></job>
  </execute>
  <execute id="e" title="A" at="7:30">
    <job><bind key="depth">1</bind></job>
  </execute>
  <execute id="f" title="A" at="7:30">
    <job procDef="walk"><bind key="walk">1</bind></job>
  </execute>
  <execute id="g" title="A" at="7:30">
    <job procDef="walk"><bind key="a b">1</bind></job>
  </execute>
</resource>
