<resource schema="dust" resdir=".">
  <execute id="a" title="A" every="1">
<job/>
  </execute>
  <execute id="b" title="A" every="-86400">
<job/>
  </execute>
  <execute id="c" title="A" every="600">
<job/>
  </execute>
</resource>
