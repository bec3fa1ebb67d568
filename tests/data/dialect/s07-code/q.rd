<resource schema="dust" resdir=".">
  <execute id="a" title="A" at="7:30">
    <job><code>rd.tidy()</code></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job code="rd.tidy(); rd.sweep()"></job>
  </execute>
  <execute id="c" title="A" at="7:30">
    <job><code>
      if rd.isDirty():
        return
      rd.tidy()
    </code></job>
  </execute>
  <execute id="d" title="A" at="7:30">
    <job><code>return 17</code></job>
  </execute>
  <execute id="e" title="A" at="7:30">
    <job><code>
      def chunks():
        yield 1
      list(chunks())
    </code></job>
  </execute>
</resource>
