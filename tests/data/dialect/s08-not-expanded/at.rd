<resource schema="plates" resdir=".">
  <macDef name="hour">7</macDef>
  <execute title="At" at="\hour:30"><job><code>pass</code></job></execute>
  <execute title="Every" every="\hour"><job><code>pass</code></job></execute>
</resource>
