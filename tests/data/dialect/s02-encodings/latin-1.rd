<?xml version="1.0" encoding="iso-8859-1"?>
<resource schema="dust" resdir=".">
  <execute title="Größe prüfen" at="7:30">
<property name="city">Graz Zürich</property><job><code>print("Ångström")</code></job>
  </execute>
</resource>
