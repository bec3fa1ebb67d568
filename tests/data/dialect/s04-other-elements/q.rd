<resource schema="dust" resdir="." novel="yes">
  <meta name="title">Dust</meta><meta novel="x"><meta>unclosed: {</meta></meta>
  <table id="plates" onDisk="maybe" mixin="//nowhere#mixin" original="missing"><column name="\nowhere" type="novel"/></table>
  <data id="import" auto="perhaps"><sources pattern="*.fits"/><make table="nowhere"/><nonsense/></data>
  <service id="s" core="nowhere" allowed="web,novel"><publish sets="local"/>text in between</service>
  <procDef id="unused" original="nowhere#at-all"><code>if x</code><novel/></procDef>
  <macDef name="a">\nowhere</macDef><macDef>nameless</macDef>
  <property>nameless</property><property name="empty"/>
  <coverage><updater sourceTable="nowhere"/></coverage>
  <regSuite><regTest title="T"><code>(</code></regTest></regSuite>
  <brandNew since="3.0" x="1"><code>def</code></brandNew>
  <execute title="Tidy up" at="7:30">
<job/>
  </execute>
</resource>
