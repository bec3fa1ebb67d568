<resource schema="plates" resdir=".">
  <STREAM id="credits">
    <meta name="creator.name">\who</meta>
    <execute title="Print \who" every="3600">
      <job><code>print("\\metaString{creator.name}")</code></job>
    </execute>
  </STREAM>
  <FEED source="credits" who="Wolf, M."/>
</resource>
