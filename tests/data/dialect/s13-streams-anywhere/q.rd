<resource schema="plates" resdir=".">
  <table id="t"><STREAM id="in_table"><property name="from">table</property></STREAM></table>
  <execute title="First" every="60">
    <STREAM id="in_execute"><property name="from">execute</property></STREAM>
    <FEED source="in_table"/>
    <job><code>pass</code></job>
  </execute>
  <execute title="Second" every="60">
    <FEED source="in_execute"/>
    <job><STREAM id="in_job"><setup imports="os"/></STREAM><code>pass</code></job>
  </execute>
  <execute title="Third" every="60"><job><FEED source="in_job"/><code>pass</code></job></execute>
</resource>
