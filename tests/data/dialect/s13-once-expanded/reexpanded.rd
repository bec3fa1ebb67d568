<resource schema="plates" resdir=".">
  <STREAM id="s">
    <LOOP listItems="1 2"><events><execute title="\\name \item" every="60"><job><code>pass</code></job></execute></events></LOOP>
  </STREAM>
  <FEED source="s" name="a" reexpand="True"/>
</resource>
