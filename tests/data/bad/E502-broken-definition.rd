<resource schema="bad" resdir=".">
  <macDef name="broken">\nosuch</macDef>
  <execute title="T" at="1:00"><job><code>print("\broken")</code></job></execute>
</resource>
