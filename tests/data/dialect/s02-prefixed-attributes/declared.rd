<resource schema="dust" resdir="." xmlns:d="http://example.org/d">
  <execute title="A" at="7:30" d:debug="True">
<job/>
  </execute>
</resource>
