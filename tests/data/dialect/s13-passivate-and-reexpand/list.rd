<resource schema="plates" resdir=".">
  <LOOP listItems="J1 K1"><events passivate="True">
    <LOOP listItems="\item x\item" reexpand="True"><events><execute title="\\item" every="60"><job><code>pass</code></job></execute></events></LOOP>
  </events></LOOP>
</resource>
