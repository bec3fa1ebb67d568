<resource schema="dust" resdir=".">
  <property name="run.retries">many</property>
  <STREAM id="limits">
    <property name="run.timeout">\limit</property>
    <property name="run.\what">archive</property>
  </STREAM>
  <FEED source="limits" limit="late" what="overlap"/>
  <execute id="a" title="A" at="3:00">
    <FEED source="limits" limit="soon" what="limits"/>
    <job/>
  </execute>
  <execute id="b" title="B" at="3:00">
    <FEED source="limits" limit="1h" what="limit"/>
    <property name="when.only">* 9 * * *</property>
    <job/>
  </execute>
</resource>
