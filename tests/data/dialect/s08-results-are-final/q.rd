<resource schema="plates" resdir=".">
  <macDef name="literal">\\rdId</macDef>
  <meta name="note">see \\schema</meta>
  <execute title="Results" every="3600">
    <job><code>
      print(r"\literal", r"\upper{\literal}", r"\metaString{note}")
    </code></job>
  </execute>
</resource>
