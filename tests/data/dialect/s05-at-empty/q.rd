<resource schema="dust" resdir=".">
  <execute title="A" at="">
<job/>
  </execute>
</resource>
