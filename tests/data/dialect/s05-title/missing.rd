<resource schema="dust" resdir=".">
  <execute at="7:30"><job/></execute>
</resource>
