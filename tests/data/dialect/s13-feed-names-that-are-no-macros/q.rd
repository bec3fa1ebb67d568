<resource schema="plates" resdir=".">
  <STREAM id="s"><execute title="\the_name" every="60"><job><code>print("\upper")</code></job></execute></STREAM>
  <FEED source="s" the_name="x" upper="overrides" my-name="never found" listItems="just a macro"/>
</resource>
