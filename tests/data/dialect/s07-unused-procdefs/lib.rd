<resource schema="dust" resdir=".">
  <procDef id="fine"><code>pass</code></procDef>
  <procDef id="bad" novel="1"><code>if x</code><setup><par key="1"/></setup></procDef>
  <execute title="A" at="noon"><job><code>(</code></job></execute>
</resource>
