<resource schema="plates" resdir=".">
  <meta>
    title: The plates
    creator.name: Wolf, M.
    # a comment
    subject: stars
    subject: galaxies
  </meta>
  <meta name="coverage">
    <meta name="waveband">Optical</meta>
    <meta name="profile">AllSky</meta>
  </meta>
  <meta name="copyright">Free to use
    <meta name="url">http://example.org/free</meta>
  </meta>
  <execute title="All forms" every="3600">
    <job><code>
      print("\metaString{title}", "\metaString{creator.name}", "\metaSeq{subject}")
      print("\metaString{coverage.waveband}", "\metaString{copyright.url}", "\metaString{coverage}{-}")
    </code></job>
  </execute>
</resource>
