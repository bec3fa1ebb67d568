<resource schema="plates" resdir=".">
  <STREAM id="s"><execute id="e" title="T" every="3600"><job><code>print("old")</code></job></execute></STREAM>
  <FEED source="s">
    <EDIT ref="execute[e]"
       at="1:00"/></FEED>
</resource>
