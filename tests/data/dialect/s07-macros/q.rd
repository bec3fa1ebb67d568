<resource schema="dust" resdir=".">
  <macDef name="plates">\schema.plates</macDef>
  <execute title="A" at="7:30">
    <job><setup imports="os"><code>TABLE = "\plates"</code></setup>
      <code>rd.tidy("\rdIdDotted", r"\d+", "\n")</code></job>
  </execute>
</resource>
