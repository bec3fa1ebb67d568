<resource schema="bad" resdir=".">
  <execute title="T" every="60">
    <title>U</title>
    <property name="a">1</property>
    <property name="a">2</property>
    <job/><job><code>pass</code></job></execute>
</resource>
