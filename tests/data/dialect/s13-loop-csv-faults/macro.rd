<resource schema="plates" resdir=".">
  <LOOP><csvItems>
    name,title
    one,\nothing
  </csvItems><events><execute title="\title" every="60"><job><code>pass</code></job></execute></events></LOOP>
</resource>
