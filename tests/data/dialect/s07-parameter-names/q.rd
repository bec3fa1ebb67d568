<resource schema="dust" resdir=".">
  <execute id="a" title="A" at="7:30">
    <job><setup><par>1</par></setup></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job><setup><par key="a-b">1</par></setup></job>
  </execute>
  <execute id="c" title="A" at="7:30">
    <job><setup><par key="1a">1</par></setup></job>
  </execute>
  <execute id="d" title="A" at="7:30">
    <job><setup><par key="a b">1</par></setup></job>
  </execute>
  <execute id="e" title="A" at="7:30">
    <job><setup><par key="">1</par></setup></job>
  </execute>
  <execute id="f" title="A" at="7:30">
    <job><setup><par key="class">1</par></setup></job>
  </execute>
  <execute id="g" title="A" at="7:30">
    <job><setup><par key="a" alias="a.b">1</par></setup></job>
  </execute>
  <execute id="h" title="A" at="7:30">
    <job><setup><par key="None">1</par></setup></job>
  </execute>
</resource>
