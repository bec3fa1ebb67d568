<resource schema="plates" resdir=".">
  <execute title="Escapes" every="60">
    <job><code>
      sep = "\x09"
      print("\nfoo")
      re.match(r"a\+b", "")
    </code></job>
  </execute>
</resource>
