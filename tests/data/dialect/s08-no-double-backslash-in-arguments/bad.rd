<resource schema="plates" resdir=".">
  <execute title="Backslashes" every="3600">
    <job><code>
      print("\upper{a\\b}")
      print("\upper{a\+b}")
      print("\reSub{a}{b}{c\\d}")
      print("\upper{never ended")
    </code></job>
  </execute>
</resource>
