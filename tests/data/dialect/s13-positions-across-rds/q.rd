<resource schema="plates" resdir=".">
  <execute title="Made" every="60">
    <job procDef="lib#p_b"/>
  </execute>
</resource>
