<resource schema="plates" resdir=".">
  <FEED name="x"><EDIT ref="execute[e]" debug="True"/></FEED>
</resource>
