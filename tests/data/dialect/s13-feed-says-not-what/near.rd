<resource schema="plates" resdir=".">
  <STREAM id="harvest"><property name="p">1</property></STREAM>
  <execute title="T" every="60"><FEED source="harvset"/><job><code>pass</code></job></execute>
</resource>
