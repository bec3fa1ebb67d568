<resource schema="plates" resdir=".">
  <STREAM id="s"><execute title="T" every="60"><job><code>print("\name")</code></job></execute></STREAM>
  <LOOP listItems="a"><events><FEED source="s" name="\item"/></events></LOOP>
</resource>
