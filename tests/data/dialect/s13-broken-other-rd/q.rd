<resource schema="plates" resdir=".">
  <execute title="T" every="60"><FEED source="lib_broken#s"/></execute>
</resource>
