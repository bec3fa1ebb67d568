<resource schema="plates" resdir=".">
  <execute title="Blanks" every="3600">
    <job><code>
      print("\reSub{a}  {b}	{banana}", "\upper{a} b")
    </code></job>
  </execute>
</resource>
