<resource schema="dust" resdir=".">
  <execute id="a#b" title="A" at="7:30">
<job/>
  </execute>
</resource>
