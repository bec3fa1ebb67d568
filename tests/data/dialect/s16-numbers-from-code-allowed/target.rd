<resource schema="plates" resdir=".">
  <LOOP><codeItems>
    yield {"item": context.replayTarget.id}
  </codeItems><events><execute title="N \item" every="60"><job><code>pass</code></job></execute></events></LOOP>
</resource>
