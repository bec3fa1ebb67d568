<resource schema="plates" resdir=".">
  <macDef name="base">/data/\rdId</macDef>
  <macDef name="pattern">\\base \\\\</macDef>
  <macDef name="quoted">\quote{\base}</macDef>
  <execute title="Once" every="3600">
    <job><code>print(\quoted, r"\pattern")</code></job>
  </execute>
</resource>
