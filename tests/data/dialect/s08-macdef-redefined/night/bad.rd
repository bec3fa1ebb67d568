<resource schema="plates" resdir=".">
  <macDef name="upper">loud</macDef>
  <execute title="No arguments" every="3600">
    <job><code>print("\upper{x}")</code></job>
  </execute>
</resource>
