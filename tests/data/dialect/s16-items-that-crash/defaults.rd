<resource schema="plates" resdir=".">
  <STREAM id="s"><DEFAULTS><suffix/></DEFAULTS>
    <execute title="A\suffix" every="60"><job><code>pass</code></job></execute></STREAM>
  <FEED source="s"/>
</resource>
