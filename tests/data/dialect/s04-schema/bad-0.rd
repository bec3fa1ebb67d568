<resource schema="dust-1" resdir=".">
  <execute title="Tidy up" at="7:30">
<job/>
  </execute>
</resource>
