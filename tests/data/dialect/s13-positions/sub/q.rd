<resource schema="plates" resdir=".">
  <FEED source="sub/lib#inner" name="One" every="often"/>
</resource>
