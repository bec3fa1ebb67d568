<resource schema="bad" resdir=".">
  <LOOP>
    <csvItems>
      name, hour
      harvest, 3, daily
      clean
    </csvItems>
    <events><execute title="\name" at="\hour:15"><job/></execute></events>
  </LOOP>
  <LOOP>
    <csvItems>
      name, h
      harvest, 3
    </csvItems>
    <events><execute title="\name" at="\h:15"><job/></execute></events>
  </LOOP>
</resource>
