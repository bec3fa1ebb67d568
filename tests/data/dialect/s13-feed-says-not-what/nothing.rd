<resource schema="plates" resdir=".">
  <FEED source="absent"><EDIT ref="execute[e]" debug="True"/></FEED>
</resource>
