<resource schema="plates" resdir=".">
  <STREAM id="s">
    <DEFAULTS suffix="d" every="60"><mode>slow</mode></DEFAULTS>
    <execute title="\name \suffix \mode" every="\every"><job><code>pass</code></job></execute>
  </STREAM>
  <FEED source="s" name="attribute"/>
  <FEED source="s"><name>child</name><suffix>own</suffix></FEED>
  <FEED source="s" name="overridden" every="120" mode="fast" unused="whatever"/>
  <FEED source="s" name="attribute"><name>child wins</name></FEED>
</resource>
