<resource schema="bad" resdir=".">
  <LOOP>
    <codeItems>
      for band in "JHK":
        yield {"band": band}
    </codeItems>
    <events><execute title="Harvest \band" every="3600"><job/></execute></events>
  </LOOP>
</resource>
