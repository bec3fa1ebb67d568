<resource schema="dust" resdir=".">
  <STREAM id="limits">
    <property name="run.timeout">\limit</property>
    <property name="run.limit">archive</property>
  </STREAM>
  <FEED source="limits" limit="2h"/>
  <LOOP csvItems="site,zone&#10;hd,Europe/Berlin&#10;wi,Europe/Vienna">
    <events>
      <execute id="\site" title="Fetch from \site" at="3:00">
        <property name="when.zone">\zone</property>
        <FEED source="limits" limit="1h"/>
        <job/>
      </execute>
    </events>
  </LOOP>
  <execute id="plain" title="Plain" at="3:00"><job/></execute>
</resource>
