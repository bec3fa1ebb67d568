<resource schema="plates" resdir=".">
  <execute title="As often as it can" every="0"><job><code>pass</code></job></execute>
</resource>
