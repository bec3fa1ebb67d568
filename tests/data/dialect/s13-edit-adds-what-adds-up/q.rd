<resource schema="plates" resdir=".">
  <STREAM id="s"><execute id="e" title="T" at="3:00"><job name="j"><setup name="set"><code>a = 1</code></setup><code>print(a)</code></job></execute></STREAM>
  <FEED source="s">
    <EDIT ref="execute[e]" at="5:00"/>
    <EDIT ref="job[j]"><setup><code>b = 2</code></setup><code>print(b)</code></EDIT>
  </FEED>
</resource>
