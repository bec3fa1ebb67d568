<resource schema="dust" resdir=".">
  <procDef id="p" original="y-lib#p"/>
  <execute title="A" at="7:30">
    <job procDef="p"></job>
  </execute>
</resource>
