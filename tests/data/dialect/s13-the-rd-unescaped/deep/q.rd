<resource schema="plates" resdir=".">
  <macDef name="root">/data</macDef>
  <FEED source="deep/lib#s"/>
</resource>
