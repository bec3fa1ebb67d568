<resource schema="plates" resdir=".">
  <LOOP listItems="a b c"><events>
    <execute id="e_\item" title="T" every="60"><job><code>pass</code></job></execute>
    <execute id="x" title="X \item" at="1:00"><job><code>pass</code></job></execute></events>
    <PRUNE id="^x$"/></LOOP>
</resource>
