<resource schema="dust" resdir=".">
  <procDef id="p"><setups><pars key="depth"/><par key="width"/></setups><code>rd.walk(depth)</code></procDef>
  <jobs title="A" at="7:30">
    <properties name="k">v</properties>
    <job procDef="p">
      <setups><codeFrags>import os</codeFrags><code>import re</code></setups>
      <bindings key="depth">3</bindings>
      <bind name="width">4</bind>
    </job>
  </jobs>
</resource>
