<resource schema="plates" resdir=".">
  <LOOP listItems="a b">
    <events><execute id="e_\item" title="T \item" every="60"><job name="fixed"><code>pass</code></job></execute></events>
    <EDIT ref="job[fixed]"><setup><code>item = "\item"</code></setup></EDIT>
  </LOOP>
</resource>
