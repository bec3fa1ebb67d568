<resource schema="dust" resdir=".">
  <execute id="a" title="Tidy" at="7:30">
    <job procDef="lib#tidy"></job>
  </execute>
  <execute id="b" title="Tidy" at="7:30">
    <job procDef="plain-lib#tidy"></job>
  </execute>
  <execute id="c" title="Tidy" at="7:30">
    <job procDef="xml-lib.xml#tidy"></job>
  </execute>
</resource>
