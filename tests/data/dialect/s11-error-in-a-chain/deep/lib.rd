<resource schema="dust" resdir=".">
  <procDef id="p" novel="1"><code>pass it</code></procDef>
</resource>
