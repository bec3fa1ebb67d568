<resource schema="plates" resdir=".">
  <STREAM id="s"><execute title="T" at="3:00"><job><setup id="set"><code>a = 1</code></setup><code>print(a)</code></job></execute></STREAM>
  <FEED source="s">
    <EDIT ref="setup[set]"><par key="c">3</par><code>b = 2</code></EDIT>
  </FEED>
</resource>
