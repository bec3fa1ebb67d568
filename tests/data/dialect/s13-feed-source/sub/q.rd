<resource schema="plates" resdir=".">
  <STREAM id="s"><execute title="Own \name" every="60"><job><code>print("\\rdId")</code></job></execute></STREAM>
  <FEED source="s" name="id"/>
  <FEED source="sub/lib#s" name="other RD"/>
  <FEED source="sub/lib.rd#s" name="with extension"/>
  <FEED source="sub/q#s" name="self"/>
  <FEED><source>s</source><name>elements</name></FEED>
</resource>
