<resource schema="dust" resdir=".">
  <execute id="" title="A" at="7:30">
    <job code="" name="" doc="" deprecated=""><setup imports="" code=""/></job>
  </execute>
</resource>
