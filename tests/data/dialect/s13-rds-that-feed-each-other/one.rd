<resource schema="plates" resdir=".">
  <STREAM id="code"><code>print("\\rdId", "\who")</code></STREAM>
  <FEED source="two#job" who="one"/>
</resource>
