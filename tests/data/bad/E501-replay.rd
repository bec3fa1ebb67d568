<resource schema="bad" resdir=".">
  <STREAM id="nightly">
    <execute title="Harvest \what" at="\hour:15">
      <job><code>
        print("\\what", "\nothing")
      </code></job>
    </execute>
  </STREAM>
  <FEED source="nightly" what="plates"/>
</resource>
