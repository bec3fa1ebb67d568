<resource schema="plates" resdir=".">
  <STREAM>
    <id>harvest</id>
    <doc>Harvests \target every \hours hours.</doc>
    <DEFAULTS hours="6"/>
    <execute title="Harvest \target" every="3600"><property name="hours">\hours</property><job><code>pass</code></job></execute>
  </STREAM>
  <FEED source="harvest" target="A"/>
</resource>
