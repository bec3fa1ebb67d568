<resource schema="plates" resdir=".">
  <STREAM id="inner">
    <execute title="\name"
        every="\every">
      <job><code>
        x = 1
        y = = 2
      </code></job>
    </execute>
  </STREAM>
</resource>
