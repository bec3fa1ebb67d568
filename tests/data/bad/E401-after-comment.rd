<resource schema="bad" resdir=".">
  <execute title="T" at="1:00"><job><code>
    <!-- over
    two lines -->
    x = 1
    ä = "é" y
  </code></job></execute>
</resource>
