<resource schema="dust" resdir=".">
  <execute at="7:30">
    <title>First</title>
    <title>Second</title>
    <job/>
  </execute>
  <execute id="a" title="B" every="60" debug="yes">
    <every>120</every>
    <debug>no</debug>
    <id>b</id>
    <job/>
  </execute>
  <execute title="C" at="7:30">
    <job><code>first()</code></job>
    <job><code>second()</code></job>
  </execute>
  <execute title="D" at="7:30">
    <job code="first()"><code>second()</code></job>
  </execute>
  <execute title="E" at="7:30">
    <job><code>first()</code><code>second()</code><code>third()</code></job>
  </execute>
</resource>
