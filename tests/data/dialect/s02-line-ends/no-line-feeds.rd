<resource schema="dust" resdir=".">
  <execute title="Tidy up" at="7:30">
    <job code="x = 1
      y = 2"/>
  </execute>
</resource>
