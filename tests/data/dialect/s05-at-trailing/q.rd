<resource schema="dust" resdir=".">
  <execute id="a0" title="A" at="7:30pm">
<job/>
  </execute>
  <execute id="a1" title="A" at="7:30:15">
<job/>
  </execute>
  <execute id="a2" title="A" at="7:30 9:30">
<job/>
  </execute>
  <execute id="a3" title="A" at="7:30+02:00">
<job/>
  </execute>
  <execute id="a4" title="A" at="7:30 UTC">
<job/>
  </execute>
  <execute id="a5" title="A" at="7:30; 8:30">
<job/>
  </execute>
  <execute id="a6" title="A" at="6:30, 7:30Z, 8:30">
<job/>
  </execute>
</resource>
