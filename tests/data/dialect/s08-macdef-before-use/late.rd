<resource schema="plates" resdir=".">
  <execute title="Before" every="3600">
    <property name="root">\archive/raw</property>
    <job><code>
      print("\archive")
      # see \archive
    </code></job>
  </execute>
  <macDef name="archive">/data/plates</macDef>
</resource>
