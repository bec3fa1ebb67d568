<resource schema="bad" resdir=".">
  <property name="run.where">south</property>
  <execute title="T" at="1:00">
    <property name="run.where">north</property>
    <property name="whenever">it is plain</property>
    <property name="when.missed">skip</property>
    <job><code>pass</code></job>
  </execute>
</resource>
