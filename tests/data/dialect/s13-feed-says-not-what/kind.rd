<resource schema="plates" resdir=".">
  <procDef id="p"/>
  <execute title="T" every="60"><FEED source="p"/><job><code>pass</code></job></execute>
</resource>
