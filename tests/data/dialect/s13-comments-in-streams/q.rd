<resource schema="plates" resdir=".">
  <STREAM id="s"><execute title="T \name" every="60"><job><code>
    # see \nothing or \name
    print("\name")
  </code></job></execute></STREAM>
  <FEED source="s" name="a"/>
  <FEED source="s" name="b"/>
</resource>
