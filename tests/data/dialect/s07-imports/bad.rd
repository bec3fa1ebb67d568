<resource schema="dust" resdir=".">
  <execute id="a" title="A" at="7:30">
    <job><setup imports="os; sys"/></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job><setup imports="import os"/></job>
  </execute>
  <execute id="c" title="A" at="7:30">
    <job><setup imports="os, 1a"/></job>
  </execute>
  <execute id="d" title="A" at="7:30">
    <job><setup imports=".sibling"/></job>
  </execute>
  <execute id="e" title="A" at="7:30">
    <job><setup imports="os.*"/></job>
  </execute>
  <execute id="f" title="A" at="7:30">
    <job><setup imports="os.class"/></job>
  </execute>
</resource>
