<resource schema="dust" resdir=".">
<procDef id="base"><setup><par key="depth">3</par></setup><code>rd.walk(depth)</code></procDef>
  <execute title="Tidy up" at="7:30">
    <job procDef="b#derived"></job>
  </execute>
</resource>
