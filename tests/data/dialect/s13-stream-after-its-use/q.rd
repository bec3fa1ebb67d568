<resource schema="plates" resdir=".">
  <FEED source="s" name="early"><EDIT ref="execute[x]" debug="True"/></FEED>
  <STREAM id="s"><execute title="\name" every="60"><job><code>pass</code></job></execute></STREAM>
</resource>
