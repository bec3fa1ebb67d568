<resource schema="dust" resdir=".">
  <execute title="Fetch new plates" at="7:30">
<job/>
  </execute>
  <execute id="check" title="Check" every="3600">
<job/>
  </execute>
</resource>
