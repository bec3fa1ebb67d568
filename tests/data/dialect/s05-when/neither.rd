<resource schema="dust" resdir=".">
  <execute title="A"><job/></execute>
</resource>
