<resource schema="plates" resdir=".">
  <LOOP listItems="a b"><events passivate="True"><STREAM id="s_\item"><execute title="\item" every="60"><job><code>pass</code></job></execute></STREAM></events></LOOP>
</resource>
