<resource schema="plates" resdir=".">
  <execute title="Property" every="3600">
    <property name="path"># \inputsDir/x</property>
    <job><code>pass</code></job>
  </execute>
</resource>
