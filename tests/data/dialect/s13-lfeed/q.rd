<resource schema="plates" resdir=".">
  <STREAM id="s">
    <execute title="\name of \\rdId" every="60"><property name="p">\schema</property><job><code>print("\rdId", "\\rdId")</code></job></execute>
  </STREAM>
  <LFEED source="s" name="ignored"/>
</resource>
