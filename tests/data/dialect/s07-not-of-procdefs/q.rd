<resource schema="dust" resdir=".">
  <procDef id="p"><bind key="a">1</bind><procDef>q</procDef><setup><par key="a">2</par></setup></procDef>
  <execute title="A" at="7:30">
    <job procDef="p"></job>
  </execute>
</resource>
