<resource schema="s" resdir=".">
  <execute title="Bad" every="3600">
    <job><code>
      print(\quote)
      print("\sqlquote{a}{b}")
      print("\urlquote")
    </code></job>
  </execute>
</resource>
