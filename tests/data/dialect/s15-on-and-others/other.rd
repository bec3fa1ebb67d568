<resource schema="dust" resdir=".">
  <execute id="a" title="A" on="load">
<job/>
  </execute>
  <execute id="b" title="A" on="Loaded">
<job/>
  </execute>
  <execute id="c" title="A" on="loaded ">
<job/>
  </execute>
  <execute id="d" title="A" on="True">
<job/>
  </execute>
</resource>
