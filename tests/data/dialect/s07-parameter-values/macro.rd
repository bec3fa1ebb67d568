<resource schema="dust" resdir=".">
  <execute id="a" title="A" at="7:30">
    <job><setup><par key="a">[\schema]</par></setup></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job><setup><par key="a">plates of \schema</par></setup></job>
  </execute>
</resource>
