<resource schema="dust" resdir=".">
  <execute title="  " at="7:30">
<job/>
  </execute>
</resource>
