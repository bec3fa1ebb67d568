<resource schema="dust" resdir="__NULL__">
  <execute id="__NULL__" title="Tidy up" at="7:30">
    <property name="user">__NULL__</property>
    <job original="__NULL__" procDef="__NULL__" name="__NULL__" doc="__NULL__" deprecated="__NULL__" type="__NULL__">
      <setup original="__NULL__"><par key="a">__NULL__</par><par key="b" late="True"> __NULL__ </par><par key="c">1</par></setup>
      <bind key="c">__NULL__</bind>
      <code>pass</code>
    </job>
  </execute>
</resource>
