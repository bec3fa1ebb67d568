<resource schema="dust" resdir=".">
  <execute title="A" at="7:30" at="8:30">
<job/>
  </execute>
</resource>
