<resource schema="dust" resdir=".">
  <execute title="Tidy up" at="7:30">
    <job><code>pass</code></job>
  </execute>
</resource>
