<resource schema="dust" resdir=".">
  <procDef id="p"><setup id="tools" imports="os"><par key="n">1</par><code>f()</code></setup></procDef>
</resource>
