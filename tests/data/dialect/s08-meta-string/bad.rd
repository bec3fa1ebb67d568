<resource schema="s" resdir=".">
  <meta name="subject">stars</meta>
  <meta name="subject">galaxies</meta>
  <execute title="Bad" every="3600">
    <job><code>
      print("\metaString{instrument}")
      print("\metaString{subject}")
      print("\metaString{subject}{none}")
      print("\metaString")
      print("\metaString{subject}{none}{, }")
    </code></job>
  </execute>
</resource>
