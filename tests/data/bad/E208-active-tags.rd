<resource schema="bad" resdir=".">
  <LOOP listItems="a b"><events>
  <execute title="\item" at="1:00"><job><code>pass</code></job></execute>
  </events></LOOP>
  <execute title="T" at="1:00"><FEED source="x"/><job><code>pass</code></job></execute>
</resource>
