<!DOCTYPE resource [
  <!ENTITY secret SYSTEM "file:///etc/passwd">
]>
<resource schema="bad" resdir=".">
  <execute title="&secret;" at="1:00"><job><code>pass</code></job></execute>
</resource>
