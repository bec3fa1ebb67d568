<resource schema="s" resdir=".">
  <meta name="subject">stars</meta>
  <meta name="subject">galaxies</meta>
  <execute title="One" every="3600">
    <job><code>print("\metaSeq{subject}", "\metaSeq{subject}{none}", "\metaSeq{subject}{none}{; }")</code></job>
  </execute>
  <execute title="None" every="3600">
    <job><code>print("\metaSeq{facility}", "\metaSeq{facility}{none}", "\metaSeq{facility}{none}{; }")</code></job>
  </execute>
</resource>
