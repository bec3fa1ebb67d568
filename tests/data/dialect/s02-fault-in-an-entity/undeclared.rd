<resource schema="dust" resdir=".">
  <execute title="&auml;ndern" at="7:30">
<job/>
  </execute>
</resource>
