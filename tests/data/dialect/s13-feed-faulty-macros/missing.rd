<resource schema="plates" resdir=".">
  <STREAM id="s">
    <execute title="\name"
        every="\every"><job><code>
      print("\name", "\missing")
    </code></job></execute>
  </STREAM>
  <FEED source="s" name="x"/>
</resource>
