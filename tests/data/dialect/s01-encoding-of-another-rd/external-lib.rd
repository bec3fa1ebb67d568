<!DOCTYPE resource SYSTEM "rd.dtd">
<resource schema="dust" resdir=".">
<procDef id="p"/>
</resource>
