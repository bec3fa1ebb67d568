<resource schema="dust" resdir=".">
  <execute id="a" title="Tidy up" at="7:30" debug="True">
    <job/>
  </execute>
  <execute >
    <job><code>pass</code><type>apply</type></job>
    <debug>True</debug>
    <every>60</every>
    <title> Fetch </title>
    <id>b</id>
  </execute>
  <execute at="8:30">
    <title>C</title><job code="pass" type="apply" name="run" doc="Runs."><setup imports="os" code="import re"/></job>
  </execute>
</resource>
