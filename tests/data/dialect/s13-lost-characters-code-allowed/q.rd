<resource schema="plates" resdir=".">
  <LOOP><codeItems>yield {"item": chr(0)}</codeItems><events>
    <execute title="\item" every="60"><job><code>pass</code></job></execute>
  </events></LOOP>
</resource>
