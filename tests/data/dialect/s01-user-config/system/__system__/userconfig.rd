<resource schema="dust" resdir=".">
<procDef id="tidy"><code>pass</code></procDef><procDef id="rotate"><code>rd.rotate()</code></procDef>
</resource>
