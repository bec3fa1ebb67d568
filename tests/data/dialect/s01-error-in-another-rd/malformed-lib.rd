<resource schema="dust">
  <procDef id="tidy">
    <code>if a < b: pass</code>
  </procDef>
</resource>
