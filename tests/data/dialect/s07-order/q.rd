<resource schema="dust" resdir=".">
  <procDef id="p">
    <setup imports="os"><par key="a">1</par><par key="la" late="True">2</par><code>p1()</code></setup>
    <setup><code>p2()</code><par key="b">3</par></setup>
    <code>p()</code>
  </procDef>
  <execute title="A" at="7:30">
    <job procDef="p">
      <code>own()</code>
      <setup><code>o1()</code><par key="c">4</par><par key="lc" late="yes">5</par></setup>
      <setup imports="re"/>
    </job>
  </execute>
</resource>
