<resource schema="dust" resdir=".">
  <execute title="Tidy up" at="7:30">
    <property name="a" cumulate="maybe">1</property>
    <job/>
  </execute>
</resource>
