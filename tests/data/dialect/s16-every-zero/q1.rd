<resource schema="plates" resdir=".">
  <execute title="Each second" every="1"><job><code>pass</code></job></execute>
  <execute title="At once" every="-3600"><job><code>pass</code></job></execute>
</resource>
