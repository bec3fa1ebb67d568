<resource schema="dust" resdir=".">
  <property name="a">v</property>
  <execute title="Tidy up" at="7:30">
    <property name="b">w</property>
    <job/>
  </execute>
</resource>
