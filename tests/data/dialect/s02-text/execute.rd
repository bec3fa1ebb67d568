<resource schema="dust" resdir=".">
  <execute title="Tidy up" at="7:30">
    every morning
    <job/>
  </execute>
</resource>
