<resource schema="dust" resdir=".">
  <execute id="a0" title="A" at="7:30" debug="y">
<job/>
  </execute>
  <execute id="a1" title="A" at="7:30" debug="n">
<job/>
  </execute>
  <execute id="a2" title="A" at="7:30" debug="wahr">
<job/>
  </execute>
  <execute id="a3" title="A" at="7:30" debug="2">
<job/>
  </execute>
  <execute id="a4" title="A" at="7:30" debug="-1">
<job/>
  </execute>
  <execute id="a5" title="A" at="7:30" debug="None">
<job/>
  </execute>
  <execute id="a6" title="A" at="7:30" debug="True,">
<job/>
  </execute>
  <execute id="a7" title="A" at="7:30" debug=" true">
<job/>
  </execute>
</resource>
