<resource schema="dust" resdir=".">
  <execute id="a" title="A" at="7:30">
    <job><setup id="s" original="lib#tools"><par key="m">2</par><code>g()</code></setup></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job><setup original="s" imports="re"/>
      <bind key="n">9</bind></job>
  </execute>
  <execute id="c" title="A" at="7:30">
    <job><setup><original>s</original></setup></job>
  </execute>
</resource>
