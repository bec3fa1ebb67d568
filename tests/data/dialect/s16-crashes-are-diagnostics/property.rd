<resource schema="plates" resdir=".">
  <execute title="Property" every="60" property="x"><job><code>pass</code></job></execute>
</resource>
