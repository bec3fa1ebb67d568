<resource schema="plates" resdir=".">
  <execute title="Glue" every="3600">
    <job><code>
      table = "\schema\+s"
      query = "SELECT * FROM \schema\+.data"
      call = \quote{a}\+[0]
    </code></job>
  </execute>
</resource>
