<resource schema="dust" resdir=".">
  <execute id="a" title="A" at="7:30">
    <job id="j"><setup id="prep"/></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job procDef="j"></job>
  </execute>
  <execute id="c" title="A" at="7:30">
    <job original="a"></job>
  </execute>
  <execute id="d" title="A" at="7:30">
    <job><setup original="j"/></job>
  </execute>
  <execute id="e" title="A" at="7:30">
    <job original="prep"></job>
  </execute>
  <execute id="f" title="A" at="7:30">
    <job procDef="lib#t"></job>
  </execute>
  <execute id="g" title="A" at="7:30">
    <job><procDef>lib#s</procDef></job>
  </execute>
</resource>
