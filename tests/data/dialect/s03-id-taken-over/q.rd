<resource schema="dust" resdir=".">
  <procDef id="p"><code>first()</code></procDef>
  <execute title="A" at="7:30">
    <job procDef="p"></job>
  </execute>
  <procDef id="p"><code>second()</code></procDef>
  <execute title="B" at="7:30">
    <job procDef="p"></job>
  </execute>
</resource>
