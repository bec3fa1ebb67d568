<resource schema="plates" resdir=".">
  <execute title="T" every="60"><FEED source="no/such#stream"/><job><code>pass</code></job></execute>
</resource>
