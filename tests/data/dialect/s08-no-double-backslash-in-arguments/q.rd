<resource schema="plates" resdir=".">
  <execute title="Backslashes" every="3600">
    <job><code>
      print("\reSub{\d\d}{x}{a17b}", "\lower{A\nB}")
    </code></job>
  </execute>
</resource>
