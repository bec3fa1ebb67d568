<resource schema="dust" resdir=".">
  <execute id="a" title="A" at="7:30">
    <job><code>nonlocal n</code></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job><code>from os import *</code></job>
  </execute>
  <execute id="c" title="A" at="7:30">
    <job><code>async with x: pass</code></job>
  </execute>
  <execute id="d" title="A" at="7:30">
    <job><code>
      def f():
        pass
      yield 1
    </code></job>
  </execute>
  <execute id="e" title="A" at="7:30">
    <job><code>
      while x: pass
      else: continue
    </code></job>
  </execute>
  <execute id="f" title="A" at="7:30">
    <job><setup><code>yield</code></setup></job>
  </execute>
  <execute id="g" title="A" at="7:30">
    <job><code>x = 0777</code></job>
  </execute>
  <execute id="h" title="A" at="7:30">
    <job><code>x = “a”</code></job>
  </execute>
</resource>
