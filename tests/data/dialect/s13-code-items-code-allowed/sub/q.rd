<resource schema="plates" resdir=".">
  <LOOP>
    <codeItems>
      for band in "JHK":
        yield {"item": band, "rd_id": context.forRD}
    </codeItems>
    <events><execute title="\item in \rd_id" every="60"><job><code>pass</code></job></execute></events>
  </LOOP>
</resource>
