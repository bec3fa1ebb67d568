<resource schema="dust" resdir=".">
  <execute title="A" at="w3 m12 7:30">
<job/>
  </execute>
</resource>
