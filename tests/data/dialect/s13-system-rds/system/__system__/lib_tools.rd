<resource schema="plates" resdir=".">
  <STREAM id="clean"><execute title="Built in \what" every="60"><job><code>pass</code></job></execute></STREAM>
</resource>
