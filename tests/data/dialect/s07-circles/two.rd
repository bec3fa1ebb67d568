<resource schema="dust" resdir=".">
  <procDef id="a" original="b"/>
  <procDef id="b" original="a"/>
  <execute title="A" at="7:30">
    <job procDef="b"></job>
  </execute>
</resource>
