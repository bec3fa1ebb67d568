<resource schema="dust" resdir=".">
  <execute title="Tidy up" at="7:30">
    <property name="a">1</property>
    <property name="a">2</property>
    <job/>
  </execute>
</resource>
