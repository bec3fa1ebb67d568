<resource schema="plates" resdir=".">
  <STREAM id="outer">
    <execute title="Outer \name" every="60"><job><code>pass</code></job></execute>
    <STREAM id="inner"><execute title="Inner \name" every="60"><job><code>pass</code></job></execute></STREAM>
  </STREAM>
  <FEED source="inner" name="alone"/>
  <FEED source="outer" name="fed"/>
</resource>
