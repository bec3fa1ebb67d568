<resource schema="bad" resdir=".">
  <execute title="T" at="1:00"><job><code>print("\late")</code></job></execute>
  <macDef name="late">x</macDef>
</resource>
