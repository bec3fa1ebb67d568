<resource schema="dust" resdir=".">
  <execute id="before" title="Before the defaults" at="7:30"><job/></execute>
  <property name="run.timeout">90</property>
  <property name="when.zone">Europe/Berlin</property>
  <property name="run.env.LANG">C</property>
  <execute id="own" title="Its own" at="7:30">
    <property name="run.timeout"> 1h
      30m </property>
    <property key="run.env.LANG">de_DE</property>
    <property name="run.env.SITE">\rdId</property>
    <property name="when.missed">skip</property>
    <property name="when.only">* * * * 1-5; * * 1 * *</property>
    <job/>
  </execute>
  <execute id="unset" title="Unset" every="60">
    <property name="run.timeout">__NULL__</property>
    <property name="run.env.LANG">__NULL__</property>
    <property name="when.jitter">1h</property>
    <property name="when.not">* 12 * * *</property>
    <property name="when.files">in/\schema-*.fits</property>
    <property name="run.workdir">work</property>
    <property name="run.limit">a</property>
    <property name="run.limit" cumulate="True"> 2</property>
    <job/>
  </execute>
</resource>
