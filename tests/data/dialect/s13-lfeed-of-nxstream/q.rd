<resource schema="plates" resdir=".">
  <NXSTREAM id="n"><LOOP listItems="a b"><events><execute title="\item" every="60"><job><code>pass</code></job></execute></events></LOOP></NXSTREAM>
  <LFEED source="n"/>
</resource>
