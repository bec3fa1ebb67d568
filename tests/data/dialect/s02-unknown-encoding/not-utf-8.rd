<resource schema="dust" resdir=".">
  <execute title="Größe prüfen" at="7:30">
<property name="city">Zürich</property><job><code>print("Ångström")</code></job>
  </execute>
</resource>
