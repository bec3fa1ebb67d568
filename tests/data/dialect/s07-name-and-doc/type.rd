<resource schema="dust" resdir=".">
  <execute title="A" at="7:30">
    <job type="job"></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job type="Apply"></job>
  </execute>
  <execute id="c" title="A" at="7:30">
    <job><type>apply </type></job>
  </execute>
</resource>
