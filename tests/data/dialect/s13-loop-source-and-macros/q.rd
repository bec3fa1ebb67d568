<resource schema="plates" resdir=".">
  <STREAM id="s"><DEFAULTS hour="7"/><execute title="\item\suffix" at="\hour:00"><job><code>pass</code></job></execute></STREAM>
  <LOOP source="s" listItems="a b" suffix="-x"/>
  <LOOP source="s"><csvItems>
    item, hour
    c, 8
  </csvItems><suffix>-y</suffix></LOOP>
</resource>
