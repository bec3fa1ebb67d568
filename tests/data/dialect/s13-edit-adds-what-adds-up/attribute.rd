<resource schema="plates" resdir=".">
  <STREAM id="s"><execute id="e" title="T"><at>3:00</at><job><code>pass</code></job></execute></STREAM>
  <FEED source="s"><EDIT ref="execute[e]" at="5:00"/></FEED>
</resource>
