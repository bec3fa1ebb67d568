<resource schema="s" resdir=".">
  <procDef id="fetch"><code>pass</code></procDef>
  <execute id="a" title="A" at="1:00"><job procDef="fecth"/></execute>
  <execute id="b" title="B" at="1:00"><job procDef="later"/></execute>
  <execute id="c" title="C" at="1:00"><job procDef="missing/q#fetch"/></execute>
  <execute id="d" title="D" at="1:00"><job original="//procs#fetch"/></execute>
  <execute id="e" title="E" at="1:00"><job><setup original="unlike"/></job></execute>
  <procDef id="later"><code>pass</code></procDef>
</resource>
