<resource schema="plates" resdir=".">
  <STREAM id="s">
    <execute id="attribute" title="T1" every="3600" debug="False"><job><code>pass</code></job></execute>
    <execute id="child"><title>T2</title><every>3600</every><job><code>pass</code></job></execute>
  </STREAM>
  <FEED source="s">
    <EDIT ref="execute[attribute]" title="Edited 1" debug="True"><every>60</every></EDIT>
    <EDIT ref="execute[child]" title="Edited 2"/>
  </FEED>
</resource>
