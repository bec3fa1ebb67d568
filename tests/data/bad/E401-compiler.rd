<resource schema="bad" resdir=".">
  <execute title="Arguments" at="1:00"><job><code>
    def f(a, a):
      pass
  </code></job></execute>
  <execute title="Global" at="1:00"><job><code>
    x = """two
lines"""
    def f():
      x = 2
      global x
  </code></job></execute>
  <execute title="Nonlocal" at="1:00"><job><code>
    def f():
      nonlocal count
  </code></job></execute>
  <execute title="Future" at="1:00"><job><code>
    from __future__ import annotations
  </code></job></execute>
  <execute title="Except" at="1:00"><job><code>
    try:
      pass
    except:
      pass
    except ValueError:
      pass
  </code></job></execute>
  <execute title="Fine" at="1:00"><job><code>
    count = 0
    def f():
      nonlocal count
      count += 1
  </code></job></execute>
</resource>
