<resource schema="dust" resdir=".">
  <execute title="A" every="">
<job/>
  </execute>
</resource>
