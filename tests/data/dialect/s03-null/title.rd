<resource schema="dust" resdir=".">
  <execute title="__NULL__" at="7:30">
<job/>
  </execute>
</resource>
