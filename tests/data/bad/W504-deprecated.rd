<resource schema="s" resdir=".">
  <procDef id="fetch" deprecated="use fetch2, which tries again"><code>pass</code></procDef>
  <execute title="T" at="1:00">
    <job procDef="fetch"/>
  </execute>
</resource>
