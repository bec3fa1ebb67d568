<resource schema="plates" resdir=".">
  <execute title="CDATA" every="3600">
    <job><code><![CDATA[
      if 1 < 2:
        print("\nothing")
    ]]></code></job>
  </execute>
  <execute title="Entities" every="3600">
    <job code="print(&quot;&#92;nothing&quot;)"/>
  </execute>
</resource>
