<resource schema="dust" resdir=".">
  <execute title="A" at="7:30">
    <job>
      <binds key="a">1</binds>
      <codeFrags>pass</codeFrags>
    </job>
    <jobs/>
  </execute>
</resource>
