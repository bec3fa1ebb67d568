<resource schema="plates" resdir=".">
  <LOOP listItems="j h"><events>
    <execute id="\item\+_band" title="\item\+mag" every="60"><job><code>
      print("\item\+_band", "\\schema\\+s")
    </code></job></execute>
  </events></LOOP>
</resource>
