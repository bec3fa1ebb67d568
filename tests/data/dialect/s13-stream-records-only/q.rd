<resource schema="plates" resdir=".">
  <STREAM id="unchecked">
    <doc>Nothing here is looked at before it is replayed.</doc>
    <execute title="\nobody \knows" every="never"><jop/></execute>
    <brandNew/>
  </STREAM>
  <STREAM id="alone"><execute title="Recorded" every="60"><job><code>pass</code></job></execute></STREAM>
  <execute title="The only one" every="60"><job><code>pass</code></job></execute>
</resource>
