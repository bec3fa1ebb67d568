<resource schema="plates" resdir=".">
  <execute title="No times" at=""><job><code>pass</code></job></execute>
  <execute title="Commas" at=" , "><job><code>pass</code></job></execute>
  <execute title="Null" at="__NULL__"><job><code>pass</code></job></execute>
</resource>
