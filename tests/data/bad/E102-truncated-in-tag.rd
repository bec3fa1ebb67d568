<resource schema="bad" resdir=".">
  <execute titl