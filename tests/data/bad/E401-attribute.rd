<resource schema="bad" resdir=".">
  <execute title="T" at="1:00"><job code="x = &quot;&lt;a&gt;&quot; +"/></execute>
</resource>
