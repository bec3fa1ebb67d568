<resource schema="dust" resdir=".">
  <procDef id="walk"><setup><par key="depth"/></setup><code>rd.walk(depth)</code></procDef>
  <execute title="A" at="7:30">
    <job id="deep" procDef="walk"><setup imports="os"/><bind key="depth">3</bind></job>
  </execute>
</resource>
