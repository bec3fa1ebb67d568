<resource schema="bad" resdir=".">
  <execute title="T0" every="0"><job><code>pass</code></job></execute>
  <execute title="T1" every="1h"><job><code>pass</code></job></execute>
  <execute title="T2" every=""><job><code>pass</code></job></execute>
  <execute title="T3" every="99999999999"><job><code>pass</code></job></execute>
  <execute title="T4" every="__NULL__"><job><code>pass</code></job></execute>
</resource>
