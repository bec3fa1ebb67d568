<resource schema="plates" resdir=".">
  <macDef name="none"> </macDef>
  <LOOP listItems=""><events><execute title="Never" every="60"><job><code>pass</code></job></execute></events></LOOP>
  <LOOP listItems="\none"><events><execute title="Never" every="60"><job><code>pass</code></job></execute></events></LOOP>
  <LOOP><csvItems>
    name, hour
  </csvItems><events><execute title="Never" every="60"><job><code>pass</code></job></execute></events></LOOP>
  <execute title="Always" every="60"><job><code>pass</code></job></execute>
</resource>
