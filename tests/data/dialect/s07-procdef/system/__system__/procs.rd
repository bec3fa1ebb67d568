<resource schema="dust" resdir=".">
  <procDef id="walk">
    <doc>Walks through the folders.</doc>
    <setup imports="os">
      <par key="depth">3</par>
      <par key="start" late="True">rd.resdir</par>
      <code>
        def walk(top):
            return os.walk(top, depth)
      </code>
    </setup>
    <code>
      walk(start)
    </code>
  </procDef>
</resource>
