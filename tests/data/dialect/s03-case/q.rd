<resource schema="dust" resdir=".">
  <execute Title="A" AT="7:30" Debug="True">
    <Job><code>pass</code></Job>
  </execute>
</resource>
