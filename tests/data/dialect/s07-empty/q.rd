<resource schema="dust" resdir=".">
  <execute id="a" title="A" at="7:30">
    <job></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job><code/></job>
  </execute>
  <execute id="c" title="A" at="7:30">
    <job><code>
   
    </code></job>
  </execute>
  <execute id="d" title="A" at="7:30">
    <job code=""></job>
  </execute>
  <execute id="e" title="A" at="7:30">
    <job code="  "></job>
  </execute>
  <execute id="f" title="A" at="7:30">
    <job><code><!-- rd.tidy() --></code></job>
  </execute>
  <execute id="g" title="A" at="7:30">
    <job><setup/></job>
  </execute>
  <execute id="h" title="A" at="7:30">
    <job><procDef/></job>
  </execute>
  <execute id="i" title="A" at="7:30">
    <job><procDef> </procDef><doc/></job>
  </execute>
</resource>
