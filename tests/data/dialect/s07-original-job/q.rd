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
    <job id="deep" name="deep" type="apply" procDef="walk"><doc>Walks.</doc>
      <setup imports="re"/>
      <bind key="depth">5</bind></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job original="deep"></job>
  </execute>
  <execute id="c" title="A" at="7:30">
    <job original="deep"><bind key="start">"/data"</bind>
      <setup imports="sys"/>
      <code>print(start)</code></job>
  </execute>
  <execute id="d" title="A" at="7:30">
    <job><original>deep</original><code>pass</code></job>
  </execute>
</resource>
