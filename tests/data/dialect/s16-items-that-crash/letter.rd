<resource schema="plates" resdir=".">
  <LOOP><csvItems>
    name, h
    one, 1
  </csvItems><events><execute title="\name" at="\h:00"><job><code>pass</code></job></execute></events></LOOP>
</resource>
