<resource schema="plates" resdir=".">
  <STREAM id="job"><property name="who">\who</property><job><code>print("\\rdId", "\who")</code></job></STREAM>
  <execute title="Fed" every="60"><FEED source="job" who="me"/></execute>
  <execute title="Looped" every="60">
    <LOOP listItems="a b"><events><property name="p_\item">\item</property></events></LOOP>
    <FEED source="job" who="you"/>
  </execute>
  <execute title="Times"><LOOP listItems="3 7"><events><at>\item:30</at></events></LOOP><job><code>pass</code></job></execute>
</resource>
