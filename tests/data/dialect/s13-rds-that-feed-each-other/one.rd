<resource schema="plates" resdir=".">
  <STREAM id="code"><code>print("\\rdId", "\who")</code></STREAM>
  <FEED source="lib_two#job" who="one"/>
</resource>
