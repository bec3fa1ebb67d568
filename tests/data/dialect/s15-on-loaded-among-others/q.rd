<resource schema="dust" resdir=".">
  <execute id="b" title="B" every="60">
<job/>
  </execute>
  <execute id="a" on="loaded" title="A" debug="True">
    <property name="p">v</property>
    <job><setup imports="os"/><code>rd.helper = os.walk</code></job>
  </execute>
</resource>
