<resource schema="plates" resdir=".">
  <meta name="title">Plates of "Bruce"</meta>
  <execute title="Nested" every="3600">
    <job><code>
      print(\quote{\metaString{title}}, "\upper{\lower{AbC}}", "\reSub{a}{\schema}{\upper{b}a}")
      print("\metaString{none}{\upper{x}-\rdId}")
    </code></job>
  </execute>
</resource>
