<resource schema="bad" resdir=".">
  <execute title="T">
    <at>
      1:00,
      1:61</at><job><code>pass</code></job></execute>
</resource>
