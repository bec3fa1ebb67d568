<resource schema="dust" resdir=".">
  <execute title="A" at="m12 w3 7:30">
<job/>
  </execute>
</resource>
