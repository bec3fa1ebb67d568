<resource schema="dust" resdir=".">
  <execute id="a" title="A" every="0">
<job/>
  </execute>
  <execute id="b" title="A" every="-0">
<job/>
  </execute>
</resource>
