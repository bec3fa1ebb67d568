<resource schema="dust" resdir=".">
  <procDef id="bad" original="nowhere" novel="1"><code>if x</code></procDef>
  <execute title="A" at="7:30">
    <job procDef="lib#fine"></job>
  </execute>
</resource>
