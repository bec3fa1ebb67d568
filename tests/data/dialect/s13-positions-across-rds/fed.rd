<resource schema="plates" resdir=".">
  <STREAM id="s"><execute title="\name" every="60"><job procDef="lib#p_\name"/></execute></STREAM>
  <FEED source="s" name="a"/>
</resource>
