<resource schema="plates" resdir=".">
  <NXSTREAM id="s">
    <execute title="T" every="60"><FEED source="\lib#job"/></execute>
  </NXSTREAM>
  <FEED source="s" lib="no/such"/>
</resource>
