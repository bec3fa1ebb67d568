<resource schema="dust" resdir=".">
  <execute title="Tidy up" at="7:30">
<job/>
  </execute>
  <execute id="tidy-up" title="B" at="7:30">
<job/>
  </execute>
</resource>
