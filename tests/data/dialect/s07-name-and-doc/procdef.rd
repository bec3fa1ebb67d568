<resource schema="dust" resdir=".">
  <procDef id="p" type="rowfilter" name="walk" doc="Walks."><code>pass</code></procDef>
  <execute title="A" at="7:30">
    <job procDef="p"></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job procDef="p" name="own" doc="Own."></job>
  </execute>
</resource>
