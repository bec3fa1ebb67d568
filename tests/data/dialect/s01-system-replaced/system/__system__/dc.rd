<resource schema="dust" resdir=".">
  <procDef id="tidy">
    <code>os.remove("old.log")</code>
  </procDef>
</resource>
