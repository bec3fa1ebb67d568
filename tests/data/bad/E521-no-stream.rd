<resource schema="bad" resdir=".">
  <STREAM id="nightly">
    <execute title="Harvest \name" at="3:15"><job/></execute>
  </STREAM>
  <execute title="Neither" every="60">
    <FEED name="x"/>
    <job/>
  </execute>
  <LOOP source="nightly" listItems="x">
    <events><execute title="Both" every="60"><job/></execute></events>
  </LOOP>
</resource>
