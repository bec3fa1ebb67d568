<resource schema="plates" resdir=".">
  <execute title="Nested" every="3600">
    <job><code>
      print("\upper{x\nothing}")
      print("\upper{\lower}")
    </code></job>
  </execute>
</resource>
