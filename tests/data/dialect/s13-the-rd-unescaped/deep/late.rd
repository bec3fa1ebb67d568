<resource schema="plates" resdir=".">
  <FEED source="deep/lib#s"/>
  <macDef name="root">/data</macDef>
</resource>
