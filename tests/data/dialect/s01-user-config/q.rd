<resource schema="dust" resdir=".">
  <execute title="Tidy" at="7:30">
    <job procDef="%#tidy"></job>
  </execute>
  <execute title="Rotate" at="7:30">
    <job procDef="%#rotate"></job>
  </execute>
</resource>
