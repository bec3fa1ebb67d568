<resource schema="plates" resdir=".">
  <STREAM id="job"><execute title="\who" every="60"><job><FEED source="one#code" who="inner"/></job></execute></STREAM>
</resource>
