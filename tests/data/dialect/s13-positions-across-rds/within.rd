<resource schema="plates" resdir=".">
  <execute title="Made" every="60">
    <job>
      <procDef>lib#loops</procDef>
    </job>
  </execute>
</resource>
