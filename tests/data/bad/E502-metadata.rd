<resource schema="bad" resdir=".">
  <meta name="creator">A</meta>
  <meta name="creator">B</meta>
  <execute title="T" at="1:00"><job><code>print("\metaString{creator}", "\metaString{title}")</code></job></execute>
</resource>
