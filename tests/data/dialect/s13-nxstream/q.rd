<resource schema="plates" resdir=".">
  <NXSTREAM id="n">
    <LOOP listItems="1 2"><events><execute title="\name \\item" every="60"><job><code>print("\name", \\item, "\\\\schema")</code></job></execute></events></LOOP>
  </NXSTREAM>
  <FEED source="n" name="a"/>
  <LOOP source="n"><csvItems>
    name
    b
  </csvItems></LOOP>
</resource>
