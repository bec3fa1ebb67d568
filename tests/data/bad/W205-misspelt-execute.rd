<resource schema="bad" resdir=".">
  <excute title="T" at="1:00"/>
</resource>
