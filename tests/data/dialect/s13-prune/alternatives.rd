<resource schema="plates" resdir=".">
  <STREAM id="s">
    <execute id="night_one" title="Harvest" every="60"><job><code>pass</code></job></execute>
    <execute id="night_two" title="Clean" every="60"><job><code>pass</code></job></execute>
    <execute id="day" title="Harvest by day" every="60"><job><code>pass</code></job></execute>
  </STREAM>
  <FEED source="s"><PRUNE id="two$"/><PRUNE title="by"/></FEED>
</resource>
