<resource schema="dust" resdir=".">
  <execute id="a0" title="A" at="24:00">
<job/>
  </execute>
  <execute id="a1" title="A" at="7:60">
<job/>
  </execute>
  <execute id="a2" title="A" at="m29 7:30">
<job/>
  </execute>
  <execute id="a3" title="A" at="m31 7:30">
<job/>
  </execute>
  <execute id="a4" title="A" at="m0 7:30">
<job/>
  </execute>
  <execute id="a5" title="A" at="m32 7:30">
<job/>
  </execute>
  <execute id="a6" title="A" at="w0 7:30">
<job/>
  </execute>
  <execute id="a7" title="A" at="w8 7:30">
<job/>
  </execute>
  <execute id="a8" title="A" at="730:00">
<job/>
  </execute>
</resource>
