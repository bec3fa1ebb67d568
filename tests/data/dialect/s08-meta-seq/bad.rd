<resource schema="s" resdir=".">
  <execute title="Bad" every="3600">
    <job><code>
      print("\metaSeq")
      print("\metaSeq{a}{b}{c}{d}")
    </code></job>
  </execute>
</resource>
