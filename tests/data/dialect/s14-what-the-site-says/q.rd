<resource schema="plates" resdir=".">
  <meta name="publisher">The Plate Vault</meta>
  <execute title="Own before the site's" every="3600">
    <job><code>
      print("\metaString{publisher}", "\metaString{contact.name}", "\metaSeq{contact.name}{nobody}")
    </code></job>
  </execute>
</resource>
