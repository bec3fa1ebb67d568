<resource schema="dust" resdir=".">
  <execute id="a0" title="A" at="7:30">
<job/>
  </execute>
  <execute id="a1" title="A" at="07:05">
<job/>
  </execute>
  <execute id="a2" title="A" at="0:0">
<job/>
  </execute>
  <execute id="a3" title="A" at="23:59">
<job/>
  </execute>
  <execute id="a4" title="A" at="0007:0030">
<job/>
  </execute>
  <execute id="a5" title="A" at="w1 7:30">
<job/>
  </execute>
  <execute id="a6" title="A" at="w7   0:00">
<job/>
  </execute>
  <execute id="a7" title="A" at="m1 7:30">
<job/>
  </execute>
  <execute id="a8" title="A" at="m01 7:30">
<job/>
  </execute>
  <execute id="a9" title="A" at="m28  23:59">
<job/>
  </execute>
  <execute id="a10" title="A" at="7:5">
<job/>
  </execute>
  <execute id="all" title="A" at="7:30, w1 8:30,m28 9:30">
<job/>
  </execute>
  <execute id="c" title="A">
    <at>
      w3	7:30,
      7:45
    </at>
    <job/>
  </execute>
</resource>
