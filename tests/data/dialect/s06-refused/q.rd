<resource schema="dust" resdir=".">
  <execute title="Tidy up" at="7:30">
    <property>nameless</property>
    <property name="a"/>
    <property name="b"> <!-- -->
    </property>
    <property name="c" type="text">x</property>
    <property name="d">x<em>y</em></property>
    <job/>
  </execute>
</resource>
