<resource schema="plates" resdir=".">
  <STREAM id="macros"><macDef name="root">/data/\\schema</macDef></STREAM>
  <STREAM id="procs"><procDef id="p"><code>print("\\root")</code></procDef></STREAM>
  <STREAM id="indirect"><FEED source="procs"/></STREAM>
  <FEED source="macros"/>
  <FEED source="indirect"/>
  <execute title="T" every="60"><job procDef="p"/></execute>
</resource>
