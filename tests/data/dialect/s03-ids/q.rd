<resource schema="dust" resdir=".">
  <execute id="plates.v2" title="A" at="7:30">
<job/>
  </execute>
  <execute id="Größe prüfen" title="A" at="7:30">
<job/>
  </execute>
  <execute id="1" title="A" at="7:30">
<job/>
  </execute>
  <execute id="a/b" title="A" at="7:30">
<job/>
  </execute>
  <execute id="x:y" title="A" at="7:30">
<job/>
  </execute>
  <execute id="ID" title="A" at="7:30">
<job/>
  </execute>
  <execute id="id" title="A" at="7:30">
<job/>
  </execute>
</resource>
