<resource schema="dust" resdir=".">
  <execute title="A" at="7:30">
    <job><setup><par key="a" type="int" default="1">1</par></setup><bind key="a" value="2">2</bind></job>
  </execute>
</resource>
