<resource schema="dust" resdir=".">
  <procDef id="p" original="nowhere#p"/>
</resource>
