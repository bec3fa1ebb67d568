<?xml version="1.0" encoding="utf-9"?>
<resource schema="bad" resdir=".">
  <execute title="T" at="1:00"><job><code>pass</code></job></execute>
</resource>
