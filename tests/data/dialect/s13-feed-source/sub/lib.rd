<resource schema="plates" resdir=".">
  <STREAM id="s"><execute title="\name" every="60"><job><code>print("\\rdId")</code></job></execute></STREAM>
</resource>
