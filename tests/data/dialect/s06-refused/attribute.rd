<resource schema="dust" resdir=".">
  <execute title="A" at="7:30" property="x">
<job/>
  </execute>
</resource>
