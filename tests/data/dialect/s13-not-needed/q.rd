<resource schema="plates" resdir=".">
  <FEED source="//siap2#fill" name="x"/>
  <FEED source="tables#obscore"/>
  <LOOP listItems="a b" csvItems="x"><events><column name="\item \nothing"/></events></LOOP>
  <FEED/>
  <STREAM id="columns"><column name="\missing"/></STREAM>
  <FEED source="columns"/>
  <table id="t"><FEED source="absent"/><LOOP><events><execute/></events></LOOP></table>
  <execute title="T" every="60"><job><code>pass</code></job></execute>
</resource>
