<resource schema="s" resdir=".">
  <meta name="title">Photographic
plates</meta>
  <meta name="creator"><meta name="name">Wolf, M.</meta></meta>
  <execute title="One" every="3600">
    <job><code>print("\metaString{title}", "\metaString{creator.name}")</code></job>
  </execute>
  <execute title="Default" every="3600">
    <job><code>print("\metaString{title}{untitled}", "\metaString{instrument}{unknown}", "\metaString{instrument}{}")</code></job>
  </execute>
  <execute title="Of the site" every="3600">
    <job><code>print("\metaString{publisher}", "\metaString{contact.name}")</code></job>
  </execute>
</resource>
