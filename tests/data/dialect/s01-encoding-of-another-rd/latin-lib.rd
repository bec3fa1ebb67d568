<?xml version="1.0" encoding="iso-8859-1"?>
<resource schema="dust" resdir=".">
<procDef id="p"><code>rd.tidy("Größe")</code></procDef>
</resource>
