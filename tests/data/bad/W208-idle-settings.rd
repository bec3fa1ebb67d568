<resource schema="bad" resdir=".">
  <property name="run.retryDelay">10m</property>
  <property name="when.missed">skip</property>
  <property name="when.grace">1h</property>
  <execute title="One" at="1:00">
    <property name="when.settle">1m</property>
    <property name="run.retries">0</property>
    <job><code>pass</code></job>
  </execute>
  <execute title="Two" every="60">
    <property name="when.settle">__NULL__</property>
    <property name="when.grace">__NULL__</property>
    <job><code>pass</code></job>
  </execute>
  <execute title="Three" on="loaded">
    <property name="when.grace">2h</property>
    <property name="when.jitter">2h</property>
    <property name="when.files">in/*</property>
    <job><code>pass</code></job>
  </execute>
</resource>
