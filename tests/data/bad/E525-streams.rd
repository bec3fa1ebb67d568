<resource schema="bad" resdir=".">
  <STREAM id="one"><execute title="T" every="60"><job/></execute></STREAM>
  <STREAM id="ten"><LOOP source="one" listItems="0 1 2 3 4 5 6 7 8 9"/></STREAM>
  <STREAM id="hundred"><LOOP source="ten" listItems="0 1 2 3 4 5 6 7 8 9"/></STREAM>
  <STREAM id="thousand"><LOOP source="hundred" listItems="0 1 2 3 4 5 6 7 8 9"/></STREAM>
  <STREAM id="more"><LOOP source="thousand" listItems="0 1 2 3 4 5 6 7 8 9"/></STREAM>
  <FEED source="more"/>
  <FEED source="more"/>
  <FEED source="more"/>
</resource>
