<resource schema="plates" resdir=".">
  <STREAM id="s0"><execute title="T" every="60"><job><code>pass</code></job></execute></STREAM>
  <STREAM id="s1"><FEED source="s0"/><FEED source="s0"/><FEED source="s0"/><FEED source="s0"/><FEED source="s0"/><FEED source="s0"/><FEED source="s0"/><FEED source="s0"/><FEED source="s0"/><FEED source="s0"/></STREAM>
  <STREAM id="s2"><FEED source="s1"/><FEED source="s1"/><FEED source="s1"/><FEED source="s1"/><FEED source="s1"/><FEED source="s1"/><FEED source="s1"/><FEED source="s1"/><FEED source="s1"/><FEED source="s1"/></STREAM>
  <STREAM id="s3"><FEED source="s2"/><FEED source="s2"/><FEED source="s2"/><FEED source="s2"/><FEED source="s2"/><FEED source="s2"/><FEED source="s2"/><FEED source="s2"/><FEED source="s2"/><FEED source="s2"/></STREAM>
  <STREAM id="s4"><FEED source="s3"/><FEED source="s3"/><FEED source="s3"/><FEED source="s3"/><FEED source="s3"/><FEED source="s3"/><FEED source="s3"/><FEED source="s3"/><FEED source="s3"/><FEED source="s3"/></STREAM>
  <STREAM id="s5"><FEED source="s4"/><FEED source="s4"/><FEED source="s4"/><FEED source="s4"/><FEED source="s4"/><FEED source="s4"/><FEED source="s4"/><FEED source="s4"/><FEED source="s4"/><FEED source="s4"/></STREAM>
  <FEED source="s5"/>
</resource>
