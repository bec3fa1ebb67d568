<resource schema="dust" resdir=".">
  <procDef id="p"><code>pass</code></procDef>
</resource>
