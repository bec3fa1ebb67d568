<resource schema="bad" resdir=".">
  <execute title="T" at="1:00"><job><code>
    break
  </code></job></execute>
  <execute title="U" at="1:00"><job><code>
    await x
  </code></job></execute>
  <execute title="V" at="1:00"><job><code>
    from os import *
  </code></job></execute>
  <execute title="W" at="1:00"><job><code>
    nonlocal x
  </code></job></execute>
</resource>
