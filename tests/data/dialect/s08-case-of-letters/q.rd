<resource schema="s" resdir=".">
  <execute title="Names" every="3600">
    <job><code>print("\upper{ab Ç}", "\lower{AB É}", "\decapitalize{ObsCore Table}", "\upper{}")</code></job>
  </execute>
</resource>
