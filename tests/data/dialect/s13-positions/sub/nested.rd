<resource schema="plates" resdir=".">
  <STREAM id="middle">
    <DEFAULTS every="60"/>
    <FEED source="sub/lib#inner" name="a" every="never"/>
  </STREAM>
  <STREAM id="outer">
    <LOOP source="middle" listItems="1 2"/>
  </STREAM>
  <FEED
    source="outer"/>
</resource>
