<resource schema="s" resdir=".">
  <execute title="Bad" every="3600">
    <job><code>
      print("\upper")
      print("\lower{a}{b}")
      print("\decapitalize")
    </code></job>
  </execute>
</resource>
