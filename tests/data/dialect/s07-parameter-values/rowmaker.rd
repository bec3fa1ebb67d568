<resource schema="dust" resdir=".">
  <execute title="A" at="7:30">
    <job><setup><par key="a">@plate</par></setup></job>
  </execute>
</resource>
