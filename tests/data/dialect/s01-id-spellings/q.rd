<resource schema="dust" resdir=".">
  <execute id="a0" title="Tidy 0" at="7:30">
    <job procDef="shared/lib#tidy"></job>
  </execute>
  <execute id="a1" title="Tidy 1" at="7:30">
    <job procDef="shared/lib.rd#tidy"></job>
  </execute>
  <execute id="a2" title="Tidy 2" at="7:30">
    <job procDef="./shared/lib#tidy"></job>
  </execute>
  <execute id="a3" title="Tidy 3" at="7:30">
    <job procDef="shared/../shared/lib#tidy"></job>
  </execute>
  <execute id="a4" title="Tidy 4" at="7:30">
    <job procDef="nowhere/../shared/lib.rd#tidy"></job>
  </execute>
</resource>
