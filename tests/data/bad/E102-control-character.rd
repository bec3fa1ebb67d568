<resource schema="bad" resdir=".">
  <execute title="T" at="1:00"><job><code>xy</code></job></execute>
</resource>
