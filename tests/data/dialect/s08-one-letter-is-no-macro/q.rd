<resource schema="s" resdir=".">
  <execute title="Escapes" every="3600">
    <job><code>
      print("a\n", "b\t", 'it\'s', "\n\t\n")
      re.findall(r"\d+\.\w", "\0")
    </code></job>
  </execute>
</resource>
