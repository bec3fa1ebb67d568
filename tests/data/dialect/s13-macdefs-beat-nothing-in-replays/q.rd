<resource schema="plates" resdir=".">
  <macDef name="name">of the RD</macDef>
  <STREAM id="s"><DEFAULTS other="default"/><execute title="\name, \other" every="60"><job><code>print("\name", "\\name")</code></job></execute></STREAM>
  <FEED source="s" name="of the FEED"/>
  <FEED source="s" other="o"/>
</resource>
