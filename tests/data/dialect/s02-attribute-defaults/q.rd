<!DOCTYPE resource [
  <!ATTLIST execute debug CDATA "True" at CDATA "4:00">
  <!ATTLIST resource schema CDATA #IMPLIED resdir CDATA ".">
]>
<resource schema="dust">
  <execute title="A" at="7:30">
<job/>
  </execute>
  <execute title="B" debug="False">
<job/>
  </execute>
</resource>
