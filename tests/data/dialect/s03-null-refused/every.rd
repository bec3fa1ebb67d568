<resource schema="dust" resdir=".">
  <execute title="A" every="__NULL__">
<job/>
  </execute>
</resource>
