<resource schema="dust" resdir=".">
  <execute title="A __NULL__" at="7:30">
    <property name="a"> __NULL__</property>
    <property name="b">__null__</property><job/>
  </execute>
</resource>
