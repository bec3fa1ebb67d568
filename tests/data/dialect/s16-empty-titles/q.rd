<resource schema="plates" resdir=".">
  <execute title="" every="60"><job><code>pass</code></job></execute>
  <execute title="  " every="60"><job><code>pass</code></job></execute>
  <execute title="__NULL__" every="60"><job><code>pass</code></job></execute>
  <execute every="60"><title/><job><code>pass</code></job></execute>
</resource>
