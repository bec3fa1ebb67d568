<resource schema="plates" resdir=".">
  <execute title="Raises in the run" every="60">
    <job><setup imports="no.such.module"><code>1/0</code></setup><code>pass</code></job>
  </execute>
</resource>
