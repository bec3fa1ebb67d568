<resource schema="bad" resdir=".">
  <LOOP>
    <events><execute title="None" every="60"><job/></execute></events>
  </LOOP>
  <LOOP listItems="J H K">
    <csvItems>
      band, hour
      J, 1
    </csvItems>
    <events><execute title="Two kinds" every="60"><job/></execute></events>
  </LOOP>
</resource>
