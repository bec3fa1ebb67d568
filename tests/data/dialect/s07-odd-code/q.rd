<resource schema="dust" resdir=".">
  <execute id="a" title="A" at="7:30">
    <job><code>x = 1;</code></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job><code>
      global n
      n = 1
    </code></job>
  </execute>
  <execute id="c" title="A" at="7:30">
    <job><code>lambda: (yield)</code></job>
  </execute>
  <execute id="d" title="A" at="7:30">
    <job><code>
      for x in y:
        continue
      else:
        return
    </code></job>
  </execute>
  <execute id="e" title="A" at="7:30">
    <job><code>from os import path as p, sep</code></job>
  </execute>
  <execute id="f" title="A" at="7:30">
    <job><code>
      with open(rd.getAbsPath("x")) as f, open("y") as g:
        match f:
          case 1: pass
    </code></job>
  </execute>
  <execute id="g" title="A" at="7:30">
    <job><code>s = f"{rd.schema!r:>{10}}" "\d"</code></job>
  </execute>
  <execute id="h" title="A" at="7:30">
    <job><setup><code>from math import *</code></setup></job>
  </execute>
</resource>
