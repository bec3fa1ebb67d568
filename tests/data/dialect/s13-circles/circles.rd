<resource schema="plates" resdir=".">
  <NXSTREAM id="a"><execute title="T" every="60"><job><code>pass</code></job></execute>
    <FEED source="lib_other#b"/></NXSTREAM>
  <FEED source="a"/>
</resource>
