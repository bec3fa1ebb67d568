<resource schema="plates" resdir=".">
  <STREAM id="report"><execute title="Report \what" every="60"><job><code>print("\\rdId")</code></job></execute></STREAM>
</resource>
