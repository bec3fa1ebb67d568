<resource schema="plates" resdir=".">
  <STREAM id="s"><execute title="T" every="60"><job><code>pass</code></job></execute>
    <FEED source="s"/></STREAM>
  <FEED source="s"/>
</resource>
