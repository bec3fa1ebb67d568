<resource schema="plates" resdir=".">
  <STREAM id="s"><DEFAULTS n="1"/><execute title="x" every="60"><job><code>pass</code></job></execute></STREAM>
  <FEED source="s"/>
</resource>
