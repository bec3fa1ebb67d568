<resource schema="s" resdir=".">
  <execute id="a" title="A" at="1:00"><job procDef="q#a#b"/></execute>
  <execute id="b" title="B" at="1:00"><job procDef="q#"/></execute>
  <execute id="c" title="C" at="1:00"><job procDef="../../etc/q#fetch"/></execute>
  <execute id="d" title="D" at="1:00"><job procDef="/etc/gavo/q#fetch"/></execute>
  <execute id="e" title="E" at="1:00"><job procDef=""/></execute>
</resource>
