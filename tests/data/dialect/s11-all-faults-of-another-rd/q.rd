<resource schema="dust" resdir=".">
  <execute id="a" title="A" at="7:30">
    <job procDef="lib#p"></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job original="lib#j"></job>
  </execute>
</resource>
