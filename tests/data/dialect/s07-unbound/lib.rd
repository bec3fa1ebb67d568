<resource schema="dust" resdir=".">
  <procDef id="p"><setup><par key="n"/><par key="m" late="True"> </par></setup><code>rd.walk(n, m)</code></procDef>
</resource>
