<resource schema="dust" resdir=".">
  <execute id="a0" title="A" every="3600.0">
<job/>
  </execute>
  <execute id="a1" title="A" every="1e3">
<job/>
  </execute>
  <execute id="a2" title="A" every="0x10">
<job/>
  </execute>
  <execute id="a3" title="A" every="1__0">
<job/>
  </execute>
  <execute id="a4" title="A" every="_1">
<job/>
  </execute>
  <execute id="a5" title="A" every="1h">
<job/>
  </execute>
  <execute id="a6" title="A" every="60 s">
<job/>
  </execute>
  <execute id="a7" title="A" every="60,120">
<job/>
  </execute>
  <execute id="a8" title="A" every="- 60">
<job/>
  </execute>
  <execute id="a9" title="A" every="one">
<job/>
  </execute>
</resource>
