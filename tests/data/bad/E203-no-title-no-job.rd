<resource schema="bad" resdir=".">
  <execute at="1:00"></execute>
</resource>
