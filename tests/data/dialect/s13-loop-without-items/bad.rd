<resource schema="plates" resdir=".">
  <LOOP><events><execute title="No items" every="60"><job><code>pass</code></job></execute></events></LOOP>
  <LOOP listItems="a" csvItems="name&#10;b"><events><execute title="Two kinds" every="60"><job><code>pass</code></job></execute></events></LOOP>
  <LOOP listItems="a"/>
</resource>
