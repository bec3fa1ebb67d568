<resource schema="dust" resdir=".">
  <execute title="Tidy up" at="7:30">
    <job><setup><code>__NULL__</code></setup></job>
  </execute>
</resource>
