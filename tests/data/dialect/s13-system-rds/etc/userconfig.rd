<resource schema="plates" resdir=".">
  <STREAM id="mine"><execute title="Mine \what" every="60"><job><code>pass</code></job></execute></STREAM>
</resource>
