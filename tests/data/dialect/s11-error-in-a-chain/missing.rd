<resource schema="dust" resdir=".">
  <execute title="A" at="7:30">
    <job procDef="missing-lib#p"></job>
  </execute>
</resource>
