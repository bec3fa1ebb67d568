<resource schema="dust" resdir=".">
  <procDef id="p"><setup id="s"/></procDef>
  <execute title="A" at="7:30">
    <job><setup imports="os"><original>s</original></setup></job>
  </execute>
</resource>
