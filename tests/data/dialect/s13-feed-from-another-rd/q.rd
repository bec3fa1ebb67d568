<resource schema="s" resdir=".">
  <FEED source="lib#harvest" name="one"/>
</resource>
