<resource schema="plates" resdir=".">
  <LOOP>
    <codeItems>
      if False:
        yield {"item": "a"}
    </codeItems>
    <events><execute title="\item" every="60"><job><code>pass</code></job></execute></events>
  </LOOP>
  <execute title="T" every="60"><job><code>pass</code></job></execute>
</resource>
