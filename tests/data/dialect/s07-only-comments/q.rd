<resource schema="dust" resdir=".">
  <execute id="a" title="A" at="7:30">
    <job><code># nothing yet</code></job>
  </execute>
  <execute id="b" title="A" at="7:30">
    <job><code>
      # nothing
      # yet
    </code></job>
  </execute>
  <execute id="c" title="A" at="7:30">
    <job><setup><code># nothing</code></setup></job>
  </execute>
</resource>
