<resource schema="plates" resdir=".">
  <execute title="Blanks" every="3600">
    <job><code>
      print("\upper{new \schema}", "\upper{new  \schema old}", "\upper{ \d }", "\upper{\d}")
    </code></job>
  </execute>
</resource>
