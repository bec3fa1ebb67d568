<!DOCTYPE resource [<!ENTITY where "'/data'">]>
<resource schema="dust" resdir=".">
<procDef id="p"><setup><par key="top">&where;</par></setup><code>rd.walk(top)</code></procDef>
</resource>
