<resource schema="plates" resdir=".">
  <macDef name="rdId">mine</macDef>
  <macDef name="upper">loud</macDef>
  <execute title="Built in" every="3600">
    <job><code>print("\rdId", "\upper", "\rdIdDotted")</code></job>
  </execute>
</resource>
