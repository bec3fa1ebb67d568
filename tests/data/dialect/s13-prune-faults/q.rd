<resource schema="plates" resdir=".">
  <STREAM id="s"><execute id="one" title="One" every="60"><job><code>pass</code></job></execute></STREAM>
  <FEED source="s">
    <PRUNE id="(one"/>
  </FEED>
</resource>
