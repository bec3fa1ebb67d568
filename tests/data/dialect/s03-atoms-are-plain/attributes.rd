<resource schema="dust" resdir=".">
  <execute >
    <title lang="en">A</title>
    <at zone="UTC">7:30</at>
    <job><code language="python">pass</code></job>
  </execute>
</resource>
