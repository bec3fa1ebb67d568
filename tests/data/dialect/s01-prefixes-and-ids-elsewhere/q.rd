<resource schema="dust" resdir=".">
  <execute id="a" title="A" at="7:30">
    <job procDef="lib#tidy"></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job procDef="lib#deep"></job>
  </execute>
</resource>
