<resource schema="s" resdir=".">
  <procDef id="fetch"><code>pass</code></procDef>
  <execute title="T" at="1:00">
    <job>
      <doc>Fetches.</doc>
      <original>fetch</original>
    </job>
  </execute>
</resource>
