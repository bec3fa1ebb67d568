<resource schema="dust" resdir=".">
  <execute title="A" at="7:30">
    <job><code>if rd.isDirty(): break</code></job>
  </execute>
</resource>
