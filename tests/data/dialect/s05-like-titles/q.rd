<resource schema="dust" resdir=".">
  <execute title="Tidy up" at="7:30">
<job/>
  </execute>
  <execute title="Tidy up" at="8:30">
<job/>
  </execute>
  <execute title="tidy, up!" at="9:30">
<job/>
  </execute>
  <execute id="up" title="Tidy up" at="9:30">
<job/>
  </execute>
</resource>
