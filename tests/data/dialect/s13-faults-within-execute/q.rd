<resource schema="plates" resdir=".">
  <STREAM id="bad"><jop/></STREAM>
  <STREAM id="text">
    stray text
    <property name="p">1</property>
  </STREAM>
  <execute title="Unknown" every="60">
    <FEED source="bad"/>
  </execute>
  <execute title="Text" every="60">
    <FEED source="text"/><job><code>pass</code></job>
  </execute>
  <execute title="Too much" every="60">
    <FEED source="absent"/>
  </execute>
</resource>
