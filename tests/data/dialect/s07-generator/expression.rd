<resource schema="dust" resdir=".">
  <execute title="A" at="7:30">
    <job><code>x = (yield)</code></job>
  </execute>
</resource>
