<?xml version="1.0" encoding="US-ASCII"?>
<resource schema="dust" resdir=".">
  <execute title="A&#223;" at="7:30">
<job/>
  </execute>
</resource>
