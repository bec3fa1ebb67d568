<resource schema="bad" resdir="." xmlns:x="urn:x">
  <execute title="T" at="1:00" x:id="y"><job><code>pass</code></job></execute>
</resource>
