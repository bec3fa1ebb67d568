<resource schema="dust" resdir="dusts">
  <execute title="Tidy up" at="7:30">
<job/>
  </execute>
</resource>
