<resource schema="bad" resdir=".">
  <property name="mail.to">ops@example.org</property>
  <execute title="T" at="1:00">
    <property name="when.only">0 0 1 * *</property>
    <property name="whenever">it is plain</property>
    <job><code>pass</code></job>
  </execute>
</resource>
