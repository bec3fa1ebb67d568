<resource schema="plates" resdir=".">
  <FEED source="lib_broken#s"/>
  <execute title="T" every="60"><job><code>pass</code></job></execute>
</resource>
