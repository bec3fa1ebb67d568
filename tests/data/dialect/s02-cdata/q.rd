<resource schema="dust" resdir=".">
  <execute at="7:30">
    <title><![CDATA[A & B <now>]]></title>
    <property name="cut"><![CDATA[a]]]]><![CDATA[>b]]> &amp; c</property>
    <job><code><![CDATA[
      if 1 < 2 and 3 > 2:
        print("&amp;")
    ]]></code></job>
  </execute>
</resource>
