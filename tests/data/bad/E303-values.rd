<resource schema="0bad" resdir=".">
  <execute title="T" at="1:00" debug="maybe"><job><code>pass</code></job></execute>
  <execute title="U" at="1:00" debug=" True"><job><code>pass</code></job></execute>
  <execute title="V" at="1:00" id="a#b"><job><code>pass</code></job></execute>
  <execute title="W" at="1:00" id="a&#10;b"><job><code>pass</code></job></execute>
  <execute title="X" at="1:00"><job><code>__NULL__</code></job></execute>
</resource>
