<resource schema="dust" resdir=".">
  <execute title="Tidy up" at="7:30">
    <job><setup><par key="a" late="__NULL__">1</par></setup></job>
  </execute>
</resource>
