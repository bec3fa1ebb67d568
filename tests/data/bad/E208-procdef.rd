<resource schema="bad" resdir=".">
  <execute title="T" at="1:00"><job procDef="p"><setup><code>x=1</code></setup><bind key="a">1</bind></job></execute>
</resource>
