<resource schema="dust" resdir=".">
  <execute title="Tidy up" at="7:30">
<job/>
  </execute>
  <execute title="B" at="7:30pm">
    <job><code>if</code></job>
  </execute>
  <execute title="C" every="1h">
<job/>
  </execute>
</resource>
