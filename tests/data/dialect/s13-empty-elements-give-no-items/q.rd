<resource schema="plates" resdir=".">
  <LOOP><listItems/><events><execute title="\item" every="60"><job><code>pass</code></job></execute></events></LOOP>
</resource>
