<resource schema="plates" resdir=".">
  <LOOP listItems="a b"><events><execute id="same" title="T \item" every="60"><job><code>pass</code></job></execute></events></LOOP>
</resource>
