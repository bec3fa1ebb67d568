<resource schema="dust" resdir=".">
  <execute title="A" on="">
<job/>
  </execute>
</resource>
