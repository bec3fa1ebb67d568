<resource schema="plates" resdir=".">
  <macDef name="site">Heidelberg</macDef>
  <macDef name="label">\site\+/old</macDef>
  <execute title="First" every="3600">
    <job><code>print("\site", "\label")</code></job>
  </execute>
  <macDef name="site">Tautenburg</macDef>
  <execute title="Second" every="3600">
    <job><code>print("\site", "\label")</code></job>
  </execute>
</resource>
