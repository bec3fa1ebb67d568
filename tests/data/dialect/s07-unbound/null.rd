<resource schema="dust" resdir=".">
  <execute title="A" at="7:30">
    <job procDef="lib#p"><bind key="n">__NULL__</bind><bind key="m">17</bind></job>
  </execute>
</resource>
