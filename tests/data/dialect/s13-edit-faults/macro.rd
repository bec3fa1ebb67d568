<resource schema="plates" resdir=".">
  <STREAM id="s">
    <execute id="nightly" title="T" every="60"><job><code>pass</code></job></execute>
  </STREAM>
  <FEED source="s">
    <EDIT ref="execute[nightly]"><property name="p">\nothing</property></EDIT>
  </FEED>
</resource>
