<resource schema="plates" resdir=".">
  <LOOP><csvItems>
    name, hour
    one, 1, 1
  </csvItems><events><execute title="\name" at="\hour:00"><job><code>pass</code></job></execute></events></LOOP>
</resource>
