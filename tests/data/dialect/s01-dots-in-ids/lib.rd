<resource schema="dust" resdir=".">
<procDef id="tidy"><setup id="prep" imports="shutil"/><code>pass</code></procDef>
</resource>
