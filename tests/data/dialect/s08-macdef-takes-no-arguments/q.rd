<resource schema="plates" resdir=".">
  <macDef name="archive">/data/plates</macDef>
  <execute title="Arguments" every="3600">
    <job><code>print("\archive{raw}")</code></job>
  </execute>
</resource>
