<resource schema="dust" resdir=".">
  <execute title="A" at="7:30" debug="__NULL__">
<job/>
  </execute>
</resource>
