<resource schema="plates" resdir=".">
  <macDef name="query">SELECT *
FROM plates</macDef>
  <execute title="Lines" every="3600">
    <job><code>
      query = """\query"""
      print(query
    </code></job>
  </execute>
</resource>
