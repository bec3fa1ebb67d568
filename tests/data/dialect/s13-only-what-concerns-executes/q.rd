<resource schema="plates" resdir=".">
  <STREAM id="all">
    <table id="\name"><column name="\absent"/></table>
    <execute title="\name" every="60"><job><code>pass</code></job></execute>
    <service id="x" core="\nothing"/>
  </STREAM>
  <FEED source="all" name="plates"/>
</resource>
