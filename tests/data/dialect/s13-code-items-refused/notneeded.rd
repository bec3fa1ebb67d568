<resource schema="plates" resdir=".">
  <LOOP>
    <codeItems>yield {"item": 1}</codeItems>
    <events><column name="\item"/></events>
  </LOOP>
  <execute title="T" every="60"><job><code>pass</code></job></execute>
</resource>
