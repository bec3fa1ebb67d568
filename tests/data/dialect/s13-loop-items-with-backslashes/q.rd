<resource schema="plates" resdir=".">
  <LOOP><csvItems>
    name, pattern
    one, \\d+\.fits
  </csvItems><events><execute title="\name \pattern" every="60"><job><code>re.match(r"\pattern", "")</code></job></execute></events></LOOP>
</resource>
