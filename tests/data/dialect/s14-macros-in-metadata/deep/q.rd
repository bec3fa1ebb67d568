<resource schema="plates" resdir=".">
  <meta name="referenceURL">\internallink{\rdId/info}</meta>
  <meta>
    title: Plates in \schema
  </meta>
  <execute title="Expanded" every="3600">
    <job><code>
      print("\metaString{referenceURL}", "\metaString{title}")
    </code></job>
  </execute>
</resource>
