<resource schema="dust" resdir=".">
  <macDef name="mine">of the library</macDef>
  <procDef id="p"><setup><par key="where">"\rdId"</par></setup><code>rd.tidy(where, "\schema")</code></procDef>
</resource>
