<resource schema="plates" resdir=".">
  <NXSTREAM id="n">
    <LOOP listItems="\bands"><events><execute title="\\item" every="60"><job><code>pass</code></job></execute></events></LOOP>
  </NXSTREAM>
  <FEED source="n" bands="J H"/>
</resource>
