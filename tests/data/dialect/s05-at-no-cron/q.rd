<resource schema="dust" resdir=".">
  <execute id="a0" title="A" at="Mon 7:30">
<job/>
  </execute>
  <execute id="a1" title="A" at="w1-5 7:30">
<job/>
  </execute>
  <execute id="a2" title="A" at="*/10 * * * *">
<job/>
  </execute>
  <execute id="a3" title="A" at="mL 7:30">
<job/>
  </execute>
  <execute id="a4" title="A" at="W1 7:30">
<job/>
  </execute>
  <execute id="a5" title="A" at="M1 7:30">
<job/>
  </execute>
  <execute id="a6" title="A" at="w17:30">
<job/>
  </execute>
  <execute id="a7" title="A" at="m5:30">
<job/>
  </execute>
  <execute id="a8" title="A" at="m007 7:30">
<job/>
  </execute>
  <execute id="a9" title="A" at="w12 7:30">
<job/>
  </execute>
  <execute id="a10" title="A" at="7.30">
<job/>
  </execute>
  <execute id="a11" title="A" at="730">
<job/>
  </execute>
  <execute id="a12" title="A" at="7">
<job/>
  </execute>
  <execute id="a13" title="A" at="7 :30">
<job/>
  </execute>
  <execute id="a14" title="A" at="7: 30">
<job/>
  </execute>
  <execute id="a15" title="A" at="-7:30">
<job/>
  </execute>
  <execute id="a16" title="A" at="daily 7:30">
<job/>
  </execute>
  <execute id="a17" title="A" at="@daily">
<job/>
  </execute>
  <execute id="a18" title="A" at="*:30">
<job/>
  </execute>
  <execute id="a19" title="A" at="7:xx">
<job/>
  </execute>
  <execute id="two" title="A" at="7:30, noon, 8:30">
<job/>
  </execute>
</resource>
