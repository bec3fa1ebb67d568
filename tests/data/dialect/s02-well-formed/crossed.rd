<resource schema="dust" resdir=".">
  <execute title="A" at="7:30"><job></execute></job>
</resource>
