<resource schema="dust" resdir=".">
  <execute title="A" at="7:30">
    <job><procDef id="p" original="p"/></job>
  </execute>
</resource>
