<resource schema="dust" resdir=".">
  <execute id="a" title="A" at="7:30">
    <job procDef="broken-lib#tidy"></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job procDef="broken-lib#sweep"></job>
  </execute>
  <execute id="c" title="A" at="7:30">
    <job><code>pass</code></job>
  </execute>
</resource>
