<resource schema="dust" resdir=".">
  <procDef id="p" original="deep/lib#p"/>
</resource>
