<resource schema="bad" resdir=".">
  <property name="when.not">* 0-5 * * *</property>
  <execute title="One" at="1:00, w1 2:00">
    <job><code>pass</code></job>
  </execute>
  <execute title="Two" every="60">
    <property name="when.only">* 4 * * *; * 5 * * *</property>
    <property name="when.zone">America/Santiago</property>
    <job><code>pass</code></job>
  </execute>
  <execute title="Three" at="1:00">
    <property name="when.not">* 3 * * *</property>
    <job><code>pass</code></job>
  </execute>
</resource>
