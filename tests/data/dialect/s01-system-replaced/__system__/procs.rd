<resource schema="dust" resdir=".">
<procDef id="tidy"><code>pass</code></procDef>
</resource>
