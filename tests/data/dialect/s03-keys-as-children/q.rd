<resource schema="dust" resdir=".">
  <execute title="A" at="7:30">
    <job><setup><par><key>depth</key>17</par><par><name>top</name><late>True</late><alias>start</alias>
        rd.resdir</par></setup>
      <bind><key>depth</key>3</bind>
      <code>rd.walk(top, depth)</code></job>
  </execute>
</resource>
