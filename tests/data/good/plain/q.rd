<resource schema="plain" resdir=".">
  <meta name="title">A resource without jobs</meta>
  <table id="t" onDisk="True"><column name="a"/></table>
  <data id="import"><sources pattern="*.csv"/><csvGrammar/><make table="t"/></data>
  <service id="s" allowed="form"><dbCore queriedTable="t"/></service>
</resource>
