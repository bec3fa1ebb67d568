<resource schema="dust" resdir=".">
  <procDef id="p" original="x#p"/>
</resource>
