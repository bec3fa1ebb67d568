<resource schema="plates" resdir=".">
  <LOOP>
    <csvItems>
      name, query
      all, "SELECT *
FROM plates"
    </csvItems>
    <events>
      <execute title="\name" every="60">
        <job><code>
          query = """\query"""
          print(query
        </code></job>
      </execute>
    </events>
  </LOOP>
</resource>
