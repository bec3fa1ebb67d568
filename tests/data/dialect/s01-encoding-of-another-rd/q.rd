<resource schema="dust" resdir=".">
  <execute id="a" title="A" at="7:30">
    <job procDef="latin-lib#p"></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job procDef="entity-lib#p"></job>
  </execute>
</resource>
