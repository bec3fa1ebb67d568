<resource schema="dust" resdir=".">
  <execute id="a0" title="A" every="3600">
<job/>
  </execute>
  <execute id="a1" title="A" every="+3600">
<job/>
  </execute>
  <execute id="a2" title="A" every="-3600">
<job/>
  </execute>
  <execute id="a3" title="A" every=" 3600 ">
<job/>
  </execute>
  <execute id="a4" title="A" every="3_600">
<job/>
  </execute>
  <execute id="a5" title="A" every="03600">
<job/>
  </execute>
  <execute id="a6" title="A" every="٣٦٠٠">
<job/>
  </execute>
  <execute id="c" title="A">
    <every>
      60
    </every>
    <job/>
  </execute>
</resource>
