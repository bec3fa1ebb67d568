<resource schema="plates" resdir=".">
  <execute title="Twice"><at>7:30</at><at>m1 9:30, w7 0:00</at><job><code>pass</code></job></execute>
</resource>
