<d:resource schema="dust">
  <d:procDef><d:id>tidy</d:id><d:code>pass</d:code></d:procDef>
  <data><d:procDef id="deep"><code>deep()</code></d:procDef></data>
</d:resource>
