<resource schema="s" resdir=".">
  <execute title="Python" every="3600">
    <job><code>print(\quote{plates}, \quote{the "old" ones})</code></job>
  </execute>
  <execute title="SQL" every="3600">
    <job><code>print("SELECT \sqlquote{Barnard's star}, \sqlquote{NULL}, \sqlquote{null}")</code></job>
  </execute>
  <execute title="URL" every="3600">
    <job><code>print("\urlquote{a b/ä?c=1&amp;d}")</code></job>
  </execute>
</resource>
