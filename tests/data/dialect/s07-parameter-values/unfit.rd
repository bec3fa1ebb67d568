<resource schema="dust" resdir=".">
  <execute id="a" title="A" at="7:30">
    <job><setup><par key="a" late="True">(yield 1)</par></setup></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job><setup><par key="a">await f()</par></setup></job>
  </execute>
  <execute id="c" title="A" at="7:30">
    <job><setup><par key="a">lambda: (yield)</par><par key="b">17 # seconds</par></setup></job>
  </execute>
</resource>
