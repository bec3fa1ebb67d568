<resource schema="plates" resdir=".">
  <macDef name="root">/data</macDef>
  <STREAM id="s"><DEFAULTS second="\root"/>
    <execute title="\first, \second" every="60"><job><code>print("\first", "\second")</code></job></execute>
  </STREAM>
  <FEED source="s" first="\rdId"/>
</resource>
