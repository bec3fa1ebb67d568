<resource schema="dust" resdir=".">
  <execute title="A" at="__NULL__">
<job/>
  </execute>
</resource>
