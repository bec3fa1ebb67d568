<resource schema="dust" resdir=".">
  <execute title="A" at="7:30">
    <debug> True </debug>
    <job/>
  </execute>
</resource>
