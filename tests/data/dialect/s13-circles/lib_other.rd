<resource schema="plates" resdir=".">
  <NXSTREAM id="b"><FEED source="circles#a"/></NXSTREAM>
</resource>
