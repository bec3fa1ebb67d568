<resource schema="dust">
  <execute title="Tidy up" at="7:30">
<job/>
  </execute>
</resource>
