<resource schema="plates" resdir=".">
  <LOOP><csvItems>
    name,title
    one,"never ended
  </csvItems><events><execute title="\title" every="60"><job><code>pass</code></job></execute></events></LOOP>
</resource>
