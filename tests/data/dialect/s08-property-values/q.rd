<resource schema="plates" resdir=".">
  <execute title="Properties" every="3600">
    <property name="id">\rdId</property>
    <property name="pattern">\d+\\.fits \\nothing</property>
    <property name="joined">a\
b</property>
    <property name="blank">  \schema  </property>
    <property name="list">\schema</property>
    <property name="list" cumulate="True">, \upper{\schema}</property>
    <job><code>pass</code></job>
  </execute>
</resource>
