<resource schema="plates" resdir=".">
  <LOOP csvItems="name, hour&#10;one, 1"><events><execute title="\name" at="\hour:00"><job><code>pass</code></job></execute></events></LOOP>
</resource>
