<resource schema="dust">
  <procDef id="tidy">
    <code>pass</kode>
  </procDef>
</resource>
