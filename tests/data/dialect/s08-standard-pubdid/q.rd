<resource schema="s" resdir=".">
  <execute title="Fill" every="3600">
    <job><code>
      print("""\sql_standardPubDID""")
      print("""\sql_standardPubDID{path}""")
    </code></job>
  </execute>
</resource>
