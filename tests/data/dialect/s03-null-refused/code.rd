<resource schema="dust" resdir=".">
  <execute title="Tidy up" at="7:30">
    <job><code>__NULL__</code></job>
  </execute>
</resource>
