<resource schema="plates" resdir=".">
  <LOOP listItems="a"><events passivate="True">
    <LOOP listItems="1 2"><events><execute id="\item \\item" title="T" every="60"><job><code>pass</code></job></execute></events></LOOP>
  </events></LOOP>
</resource>
