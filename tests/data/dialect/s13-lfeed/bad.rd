<resource schema="plates" resdir=".">
  <STREAM id="s">
    <execute title="T" every="60"><job><code>print("\name")</code></job></execute>
  </STREAM>
  <LFEED source="s" name="ignored"/>
</resource>
