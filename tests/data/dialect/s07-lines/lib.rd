<resource schema="dust" resdir=".">
  <procDef
      id="p"
  >
    <code>

      a()
      b()
    </code>
  </procDef>
</resource>
