<resource schema="dust" resdir=".">
  <procDef id="p"><code>first()</code></procDef>
  <execute id="p" title="A" at="7:30">
    <job procDef="p"></job>
  </execute>
</resource>
