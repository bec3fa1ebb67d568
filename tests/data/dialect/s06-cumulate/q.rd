<resource schema="dust" resdir=".">
  <execute title="Tidy up" at="7:30">
    <property name="a">1</property>
    <property name="a" cumulate="True"> 2</property>
    <property key="a" cumulate="yes"> \rdId</property>
    <property name="b" cumulate="t">first</property>
    <property name="c">1</property>
    <property name="c" cumulate="False">2</property>
    <job/>
  </execute>
</resource>
