<resource schema="dust" resdir=".">
  <execute id="a" title="A" at="7:30">
    <job><setup><par key="a">plates of today</par></setup></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job><setup><par key="a">x = 1</par></setup></job>
  </execute>
  <execute id="c" title="A" at="7:30">
    <job><setup><par key="a">(1</par></setup></job>
  </execute>
  <execute id="d" title="A" at="7:30">
    <job><setup><par key="a" late="True">1 +</par></setup></job>
  </execute>
  <execute id="e" title="A" at="7:30">
    <job><setup><par key="a">1</par></setup><bind key="a">return 2</bind></job>
  </execute>
  <execute id="f" title="A" at="7:30">
    <job><setup><par key="a">import os</par></setup></job>
  </execute>
</resource>
