<resource schema="plates" resdir=".">
  <STREAM id="job"><job><code>print("\\schema", "\what")</code></job></STREAM>
  <STREAM id="all"><execute title="A \name" every="60"><FEED source="job" what="a"/></execute></STREAM>
  <FEED source="all" name="fed"/>
</resource>
