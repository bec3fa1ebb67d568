<resource>
  <execute title="No schema" every="60"><job><code>pass</code></job></execute>
</resource>
