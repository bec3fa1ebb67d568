<resource schema="plates" resdir=".">
  <STREAM id="s">
    <execute id="nightly" title="Nightly \what" every="3600"><job name="main"><code>pass</code></job></execute>
    <execute id="weekly" title="Weekly \what" every="7200"><job name="other"><code>pass</code></job></execute>
  </STREAM>
  <FEED source="s" what="plates">
    <EDIT ref="execute[nightly]" debug="True"><property name="kind">\what</property></EDIT>
    <EDIT ref="job[main]"><setup imports="os"/></EDIT>
    <EDIT ref="execute[monthly]" debug="True"/>
    <EDIT ref="job[nightly]" nonsense="True"/>
  </FEED>
</resource>
