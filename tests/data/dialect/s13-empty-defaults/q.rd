<resource schema="plates" resdir=".">
  <STREAM id="s">
    <DEFAULTS prefix=""><suffix/><middle>  </middle></DEFAULTS>
    <execute title="[\prefix\suffix]" every="60"><job><code>pass</code></job></execute>
  </STREAM>
  <FEED source="s"/>
  <FEED source="s" suffix="s" prefix="p"/>
</resource>
