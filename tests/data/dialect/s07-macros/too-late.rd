<resource schema="dust" resdir=".">
  <execute title="A" at="7:30">
    <job><code>rd.tidy("\plates")</code></job>
  </execute>
  <macDef name="plates">\schema.plates</macDef>
</resource>
