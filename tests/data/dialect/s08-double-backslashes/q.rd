<resource schema="plates" resdir=".">
  <execute title="Doubled" every="3600">
    <job><code>
      # written \\rdId
      print(r"\\rdId", "\\\\", "a\\\\b", "\\")
    </code></job>
  </execute>
</resource>
