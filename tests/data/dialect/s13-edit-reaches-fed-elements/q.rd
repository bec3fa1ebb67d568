<resource schema="plates" resdir=".">
  <STREAM id="inner"><execute id="e" title="T" every="60"><job><code>pass</code></job></execute></STREAM>
  <STREAM id="outer"><FEED source="inner"><EDIT ref="execute[e]"><property name="a">1</property></EDIT></FEED></STREAM>
  <FEED source="outer"><EDIT ref="execute[e]"><property name="b">2</property></EDIT></FEED>
</resource>
