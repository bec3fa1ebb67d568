<resource schema="plates" resdir=".">
  <STREAM id="s">
    <DEFAULTS hour="1" name="first"/>
    <doc>One.</doc>
    <execute title="\name" at="\hour:00"><job><code>pass</code></job></execute>
    <DEFAULTS><hour>2</hour></DEFAULTS>
  </STREAM>
  <FEED source="s"/>
</resource>
