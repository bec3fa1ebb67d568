<?xml version="1.0" encoding="koi8-r"?>
<resource schema="dust" resdir=".">
  <execute title="Обновить" at="7:30">
<job/>
  </execute>
</resource>
