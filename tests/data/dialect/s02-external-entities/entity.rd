<!DOCTYPE resource [
  <!ENTITY code SYSTEM "code.py">
]>
<resource schema="dust" resdir=".">
  <execute title="Tidy up" at="7:30">
    <job><code>&code;</code></job>
  </execute>
</resource>
