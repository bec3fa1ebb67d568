<resource schema="plates" resdir=".">
  <execute id="harvest.night" title="H" every="3600"><job><code>pass</code></job></execute>
</resource>
