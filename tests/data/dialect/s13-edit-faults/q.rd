<resource schema="plates" resdir=".">
  <STREAM id="s">
    <execute id="nightly" title="T" every="60"><job><code>pass</code></job></execute>
  </STREAM>
  <FEED source="s">
    <EDIT ref="nightly" debug="True"/>
    <EDIT debug="True"/>
  </FEED>
  <FEED source="s">
    <EDIT ref="execute[nightly]" debgu="True"><property>no name</property></EDIT>
  </FEED>
</resource>
