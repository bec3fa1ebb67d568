<resource schema="plates" resdir=".">
  <STREAM id="s"><execute title="Old \name" every="60"><job><code>pass</code></job></execute></STREAM>
  <FEED source="s" name="first"/>
  <STREAM id="s"><execute title="New \name" every="60"><job><code>pass</code></job></execute></STREAM>
  <FEED source="s" name="second"/>
</resource>
