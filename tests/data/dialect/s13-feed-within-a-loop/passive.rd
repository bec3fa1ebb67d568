<resource schema="plates" resdir=".">
  <STREAM id="s"><execute title="Do \name" every="60"><job><code>pass</code></job></execute></STREAM>
  <LOOP listItems="a b"><events passivate="True"><FEED source="s" name="\item"/></events></LOOP>
</resource>
