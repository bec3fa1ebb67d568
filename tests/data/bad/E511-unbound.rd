<resource schema="s" resdir=".">
  <procDef id="fetch">
    <setup><par key="url"/><par key="tries">3</par></setup>
    <code>fetch(url, tries)</code>
  </procDef>
  <execute title="T" at="1:00">
    <job procDef="fetch"><bind key="tries">5</bind></job>
  </execute>
</resource>
