<resource schema="other" resdir=".">
  <execute title="A" at="7:30">
    <job procDef="obs/lib#p"></job>
  </execute>
</resource>
