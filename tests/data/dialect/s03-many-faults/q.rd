<resource schema="dust" resdir=".">
  <execute id="a" title="A" at="7:30pm" debug="maybe" owner="ops">
    <property name="x" cumulate="si">1</property>
    Tidies
    <job type="x">
      <setup imports="a-b"><par key="n">(</par></setup>
      <code>yield</code>
    </job>
  </execute>
  <execute every="never"><job procDef="nowhere"/></execute>
</resource>
