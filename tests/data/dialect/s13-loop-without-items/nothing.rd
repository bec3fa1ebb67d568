<resource schema="plates" resdir=".">
  <execute title="T" every="60"><job><LOOP listItems="a"/><code>pass</code></job></execute>
</resource>
