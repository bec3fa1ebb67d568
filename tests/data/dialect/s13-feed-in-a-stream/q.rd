<resource schema="plates" resdir=".">
  <STREAM id="job"><job><code>print("\\schema", "\what")</code></job></STREAM>
  <STREAM id="all">
    <execute title="A \name" every="60"><FEED source="job" what="a"/></execute>
    <FEED source="other"/>
  </STREAM>
  <STREAM id="unused"><FEED source="not there"/></STREAM>
  <STREAM id="other"><execute title="Too late" every="60"><job><code>pass</code></job></execute></STREAM>
  <execute title="Own" every="60"><job><code>pass</code></job></execute>
</resource>
