<resource schema="plates" resdir=".">
  <macDef name="hour">7</macDef>
  <execute id="e_\schema" title="Reload \schema, \nothing" every="3600">
    <property name="\schema">\schema</property>
    <job name="\hour"><code>pass</code></job>
  </execute>
</resource>
