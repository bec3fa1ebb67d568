<resource schema="plates" resdir=".">
  <LOOP listItems="a b"><events passivate="True">
    <LOOP listItems="1 2" reexpand="True"><events><execute title="\item \\item" every="60"><job><code>pass</code></job></execute></events></LOOP>
  </events></LOOP>
</resource>
