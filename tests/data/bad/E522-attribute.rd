<resource schema="bad" resdir=".">
  <LOOP csvItems="
      name, hour
      harvest, 3">
    <events><execute title="\name" at="\hour:15"><job/></execute></events>
  </LOOP>
</resource>
