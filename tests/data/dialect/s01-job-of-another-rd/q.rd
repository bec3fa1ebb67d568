<resource schema="dust" resdir=".">
  <execute id="a" title="A" at="7:30">
    <job original="lib#deep"></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job original="lib#deep"><bind key="depth">4</bind></job>
  </execute>
</resource>
