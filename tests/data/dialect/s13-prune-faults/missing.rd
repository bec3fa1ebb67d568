<resource schema="plates" resdir=".">
  <STREAM id="s"><execute title="One" every="60"><job id="j"><code>pass</code></job></execute></STREAM>
  <FEED source="s"><PRUNE id="^j$"/></FEED>
</resource>
