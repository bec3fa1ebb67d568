<resource schema="plates" resdir=".">
  <LOOP>
    <codeItems>
      for band in "JHK":
        yield {"item": band}
    </codeItems>
    <events><execute title="\item" every="60"><job><code>pass</code></job></execute></events>
  </LOOP>
</resource>
