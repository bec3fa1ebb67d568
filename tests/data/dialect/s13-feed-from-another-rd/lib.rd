<resource schema="lib">
  <STREAM id="harvest">
    <DEFAULTS hour="3"/>
    <execute title="Harvest \name" at="\hour:15">
      <job><code>
        print("\\rdId", "\name", r"\\d+")
        x = 1
      </code></job>
    </execute>
  </STREAM>
  <procDef id="p">
    <setup imports="os.path, json as j">
      <par key="a">17</par>
      <par key="b" late="True">rd.schema+"x"</par>
      <par key="c"/>
      <code>
        def f(x):
            return x*a
      </code>
    </setup>
    <code>
      print(f(b), c)
    </code>
  </procDef>
</resource>
