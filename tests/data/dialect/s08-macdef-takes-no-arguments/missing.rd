<resource schema="plates" resdir=".">
  <macDef>/data/plates</macDef>
  <execute title="No name" every="3600">
    <job><code>pass</code></job>
  </execute>
</resource>
