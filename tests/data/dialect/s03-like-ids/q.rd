<resource schema="dust" resdir=".">
  <execute id="tidy" title="A" at="7:30">
<job/>
  </execute>
  <execute title="B" at="8:30">
    <id>tidy</id>
    <job/>
  </execute>
</resource>
