<resource schema="bad" resdir=".">
  <execute title="T" at="1:00">
    <property>a</property>
    <property name="b"> </property><job><code>pass</code></job></execute>
</resource>
