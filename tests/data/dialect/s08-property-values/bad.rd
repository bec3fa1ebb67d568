<resource schema="plates" resdir=".">
  <execute title="Properties" every="3600">
    <property name="id">first
      then \nothing</property>
    <property name="none">\upper</property>
    <job><code>pass</code></job>
  </execute>
</resource>
