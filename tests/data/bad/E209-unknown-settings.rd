<resource schema="bad" resdir=".">
  <property key="when.Missed">skip</property>
  <property name="mail.from">ops@example.org</property>
  <execute title="T" at="1:00">
    <property name="run.timout">10m</property>
    <property name="run.env">PATH</property>
    <property name="run.env.2X">1</property>
    <property name="when.">1</property>
    <property name="runs.timeout">it is plain</property>
    <job><code>pass</code></job>
  </execute>
</resource>
