<resource schema="plates" resdir=".">
  <execute title="Null" every="60"><job code="__NULL__"/></execute>
</resource>
