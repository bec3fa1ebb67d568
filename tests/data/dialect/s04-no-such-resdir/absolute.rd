<resource schema="dust" resdir="/var/gavo/data/nowhere">
  <execute title="Tidy up" at="7:30">
<job/>
  </execute>
</resource>
