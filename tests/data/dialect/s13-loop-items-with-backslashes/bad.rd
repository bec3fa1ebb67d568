<resource schema="plates" resdir=".">
  <LOOP><csvItems>
    name, pattern
    one, \\nfoo
  </csvItems><events><execute title="\name" every="60"><job><code>print("\pattern")</code></job></execute></events></LOOP>
</resource>
