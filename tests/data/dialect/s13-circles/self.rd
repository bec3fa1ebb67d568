<resource schema="plates" resdir=".">
  <NXSTREAM id="s"><execute title="T" every="60"><job><code>pass</code></job></execute>
    <FEED source="s"/></NXSTREAM>
  <FEED source="s"/>
</resource>
