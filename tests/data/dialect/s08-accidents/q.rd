<resource schema="s" resdir=".">
  <execute title="Escapes before letters" every="3600">
    <job><code>
      print("one\ntwo")
      print("\x41")
      print("\u00e4")
      tex = "\texttt{q}"
      re.sub(r"\bword\b", "", "")
    </code></job>
  </execute>
</resource>
