<resource schema="dust" resdir=".">
  <execute title="Tidy up" at="7:30">
    <job procDef="%#tidy"></job>
  </execute>
</resource>
