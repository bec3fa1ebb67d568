<resource schema="bad" resdir=".">
  <execute title="T"><at zone="CET">1:00<b>x</b></at><job><code>pass</code></job></execute>
</resource>
