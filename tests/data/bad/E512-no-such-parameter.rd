<resource schema="s" resdir=".">
  <procDef id="fetch">
    <setup><par key="url">"http://example.org"</par></setup>
    <code>fetch(url)</code>
  </procDef>
  <execute id="a" title="A" at="1:00"><job procDef="fetch"><bind key="urls">"x"</bind></job></execute>
  <execute id="b" title="B" at="1:00"><job procDef="fetch"><bind name="tries">3</bind></job></execute>
  <execute id="c" title="C" at="1:00"><job><bind key="url">"x"</bind></job></execute>
</resource>
