<resource schema="bad" resdir=".">
  <macDef name="limit">ten minutes</macDef>
  <property name="run.overlap">
    Queu
  </property>
  <property name="run.memory">500</property>
  <execute title="One" at="1:00">
    <property name="run.timeout">\limit</property>
    <property name="run.retries">3 or \limit</property>
    <property name="run.isolate">yes</property>
    <property name="when.grace">none</property>
    <property name="when.settle">x</property>
    <property name="run.niceness">\nothing{x}</property>
    <job><code>pass</code></job>
  </execute>
  <execute title="Two" every="60">
    <property name="run.workdir">a&#10;b</property>
    <property name="run.limit">archive</property>
    <property name="run.limit" cumulate="True"> many</property>
    <property name="run.overlap">__NULL__</property>
    <property name="when.files">data/</property>
    <job><code>pass</code></job>
  </execute>
</resource>
