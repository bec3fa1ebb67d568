<!DOCTYPE resource [
  <!ENTITY a "&b;">
  <!ENTITY b "&a;">
]>
<resource schema="dust" resdir=".">
  <execute title="Tidy up" at="7:30">
<property name="x">&a;</property><job/>
  </execute>
</resource>
