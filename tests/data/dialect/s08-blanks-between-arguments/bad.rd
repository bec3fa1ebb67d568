<resource schema="plates" resdir=".">
  <execute title="Blanks" every="3600">
    <job><code>
      print("\upper {a}")
      print("""\reSub{a}{b}
        {c}""")
    </code></job>
  </execute>
</resource>
