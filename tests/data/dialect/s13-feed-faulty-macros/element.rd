<resource schema="plates" resdir=".">
  <STREAM id="s"><execute title="\name" every="60"><job><code>pass</code></job></execute></STREAM>
  <FEED source="s" name="x"><n>1</n></FEED>
</resource>
