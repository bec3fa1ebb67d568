<resource schema="bad" resdir=".">
  <execute title="One" at="1:00">
    <property name="when.only">
      * * 29 2 *
    </property>
    <job><code>pass</code></job>
  </execute>
  <execute title="Two" every="60">
    <property name="when.only">* * L * *</property>
    <job><code>pass</code></job>
  </execute>
</resource>
