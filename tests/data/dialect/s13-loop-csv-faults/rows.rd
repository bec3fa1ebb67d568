<resource schema="plates" resdir=".">
  <LOOP><csvItems>
    name,title
    one
    two,Two
    three,Plates, old
  </csvItems><events><execute title="\title" every="60"><job><code>pass</code></job></execute></events></LOOP>
</resource>
