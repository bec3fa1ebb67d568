<resource schema="bad" resdir=".">
  <property name="when.zone">Europe/berlin</property>
  <execute title="One" at="1:00">
    <property name="when.only">* 9-17 * * 1-5; * 25 * * *</property>
    <property name="when.not">@daily</property>
    <property name="when.jitter">some</property>
    <job><code>pass</code></job>
  </execute>
</resource>
