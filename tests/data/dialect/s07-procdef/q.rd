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
    <job procDef="walk"></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job><procDef>walk</procDef></job>
  </execute>
  <execute id="c" title="A" at="7:30">
    <job><procDef>lib<!-- -->#walk</procDef></job>
  </execute>
  <execute id="d" title="A" at="7:30">
    <job procDef="lib#walk"></job>
  </execute>
  <execute id="e" title="A" at="7:30">
    <job procDef="//procs#walk"></job>
  </execute>
  <execute id="f" title="A" at="7:30">
    <job procDef="%#walk"></job>
  </execute>
  <execute id="g" title="A" at="7:30">
    <job>  <procDef>
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
</job>
  </execute>
</resource>
