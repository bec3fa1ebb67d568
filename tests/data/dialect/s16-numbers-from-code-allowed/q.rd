<resource schema="plates" resdir=".">
  <LOOP><codeItems>
    for number in (1, 2.5, None, True):
      yield {"number": number}
  </codeItems><events><execute title="N \number" every="60"><job><code>print(\number)</code></job></execute></events></LOOP>
</resource>
