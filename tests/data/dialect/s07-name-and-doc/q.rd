<resource schema="dust" resdir=".">
  <execute id="a" title="A" at="7:30">
    <job id="j" type="apply"><name>
      tidy_up
    </name><doc>Tidies.</doc><code>pass</code></job>
  </execute>
  <execute id="t_t" title="A" at="7:30">
    <job type="t_t"></job>
  </execute>
  <execute id="apply" title="A" at="7:30">
    <job type="apply"></job>
  </execute>
  <execute id="rowfilter" title="A" at="7:30">
    <job type="rowfilter"></job>
  </execute>
  <execute id="sourceFields" title="A" at="7:30">
    <job type="sourceFields"></job>
  </execute>
  <execute id="mixinProc" title="A" at="7:30">
    <job type="mixinProc"></job>
  </execute>
  <execute id="phraseMaker" title="A" at="7:30">
    <job type="phraseMaker"></job>
  </execute>
  <execute id="descriptorGenerator" title="A" at="7:30">
    <job type="descriptorGenerator"></job>
  </execute>
  <execute id="dataFunction" title="A" at="7:30">
    <job type="dataFunction"></job>
  </execute>
  <execute id="dataFormatter" title="A" at="7:30">
    <job type="dataFormatter"></job>
  </execute>
  <execute id="metaMaker" title="A" at="7:30">
    <job type="metaMaker"></job>
  </execute>
  <execute id="regTest" title="A" at="7:30">
    <job type="regTest"></job>
  </execute>
  <execute id="iterator" title="A" at="7:30">
    <job type="iterator"></job>
  </execute>
  <execute id="pargetter" title="A" at="7:30">
    <job type="pargetter"></job>
  </execute>
</resource>
