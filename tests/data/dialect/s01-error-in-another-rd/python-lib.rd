<resource schema="dust" resdir=".">
<procDef id="tidy">
  <code>if a b: pass</code>
</procDef>
</resource>
