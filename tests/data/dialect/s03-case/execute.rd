<resource schema="dust" resdir=".">
  <Execute title="A" at="7:30"><job/></Execute>
</resource>
