<resource schema="bad" resdir=".">
  <execute title="T0" at="1:00, 24:00"><job><code>pass</code></job></execute>
  <execute title="T1" at="w8 1:00"><job><code>pass</code></job></execute>
  <execute title="T2" at="m31 1:00"><job><code>pass</code></job></execute>
  <execute title="T3" at="7:30pm"><job><code>pass</code></job></execute>
  <execute title="T4" at="w1 m1 7:30"><job><code>pass</code></job></execute>
  <execute title="T5" at=""><job><code>pass</code></job></execute>
  <execute title="T6" at=", ,"><job><code>pass</code></job></execute>
  <execute title="T7" at="noon"><job><code>pass</code></job></execute>
  <execute title="T8" at="__NULL__"><job><code>pass</code></job></execute>
</resource>
