<resource schema="plates" resdir=".">
  <STREAM id="s">
    <execute title="\item" at="\item:00"><job><code>pass</code></job></execute>
  </STREAM>
  <LOOP source="s" listItems="3 25"/>
</resource>
