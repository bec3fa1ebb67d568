<resource schema="dust" resdir=".">
  <execute title="A" at="7:30">
    <job><setup><par key="a">__NULL__</par><par key="b">__EMPTY__</par><par key="c"/><par key="d" late="True"> __EMPTY__ </par><par key="e">\magicEmpty{}</par></setup>
      <bind key="c">__EMPTY__</bind>
      <code>pass</code></job>
  </execute>
</resource>
