<resource schema="bad" resdir=".">
  <execute title=" " at="1:00"><job><code>pass</code></job></execute>
  <execute title="__NULL__" at="1:00"><job><code>pass</code></job></execute>
</resource>
