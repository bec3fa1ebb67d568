<resource schema="dust" resdir=".">
  <execute title="A" on="__NULL__">
<job/>
  </execute>
</resource>
