<resource schema="plates" resdir=".">
  <STREAM id="setup"><setup imports="os"><code>\name = 1</code></setup></STREAM>
  <execute title="Job" every="60"><job><FEED source="setup" name="limit"/><code>print(limit)</code></job></execute>
  <execute title="Setup" every="60"><job><setup>
    <LOOP><csvItems>
      name, value
      low, 1
      high, 2
    </csvItems><events><par key="\name">\value</par></events></LOOP>
    <FEED><events><code>span = high - low</code></events></FEED>
  </setup><code>print(span)</code></job></execute>
  <execute title="Bindings" every="60"><job>
    <setup><par key="aa"/><par key="bb"/></setup>
    <LOOP listItems="aa bb"><events><bind key="\item">"\item"</bind></events></LOOP>
    <LFEED><events><code>print("\schema", aa, bb)</code></events></LFEED>
  </job></execute>
</resource>
