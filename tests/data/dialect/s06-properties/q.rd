<resource schema="dust" resdir=".">
  <execute title="Tidy up" at="7:30">
    <property name="a">v</property>
    <property key="b">  kept
   as it is </property>
    <property name="c">see \rdId</property>
    <property name="\rdId">not expanded</property>
    <property name="d">__NULL__</property>
    <property name="when.only">* * 1 * *</property>
    <job/>
  </execute>
</resource>
