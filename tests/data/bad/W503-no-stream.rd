<resource schema="bad" resdir=".">
  <FEED source="columns" prefix="raw_"/>
  <FEED source="lost/in/space#columns"/>
  <execute title="Report" every="3600"><job/></execute>
</resource>
