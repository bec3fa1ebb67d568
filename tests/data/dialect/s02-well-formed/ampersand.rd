<resource schema="dust" resdir=".">
  <execute title="A & B" at="7:30">
<job/>
  </execute>
</resource>
