<resource schema="plates" resdir=".">
  <macDef name="archive">/data/plates</macDef>
  <execute title="Before" every="3600">
    <property name="root">\archive/raw</property>
    <job>
      <setup><par key="root">"\archive"</par><code>raw = "\archive/raw"</code></setup>
      <code>print("\archive", root, raw)</code>
    </job>
  </execute>
</resource>
