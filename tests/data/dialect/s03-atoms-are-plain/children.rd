<resource schema="dust" resdir=".">
  <execute >
    <title>Tidy <em>up</em></title>
    <at><hour>7</hour>7:30</at>
    <job><code><line>pass</line></code></job>
  </execute>
</resource>
