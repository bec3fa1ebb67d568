<resource schema="dust" resdir=".">
  <execute id="a" title="A" at="7:30">
    <job><code>
        x = 1
# at the margin
        y = 2
  # less
</code></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job><code>
        x = """first
second
  third"""
        y = 2</code></job>
  </execute>
  <execute id="c" title="A" at="7:30">
    <job><code>
        x = rd.f(1,
    2)
        y = 2
</code></job>
  </execute>
  <execute id="d" title="A" at="7:30">
    <job><code>if rd.isDirty():
          rd.tidy()
          rd.sweep()
</code></job>
  </execute>
  <execute id="e" title="A" at="7:30">
    <job><code>for x in y:
          x()
        z()
</code></job>
  </execute>
</resource>
