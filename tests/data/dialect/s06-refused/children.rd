<resource schema="dust" resdir=".">
  <execute title="Tidy up" at="7:30">
    <property><name>a</name>v</property>
    <property><key>a</key>v</property>
    <property name="b"><cumulate>True</cumulate>v</property>
    <job/>
  </execute>
</resource>
