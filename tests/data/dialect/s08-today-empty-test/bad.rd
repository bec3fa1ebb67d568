<resource schema="s" resdir=".">
  <execute title="Bad" every="3600">
    <job><code>
      print("\magicEmpty")
      print("\magicEmpty{a}{b}")
    </code></job>
  </execute>
</resource>
