<resource schema="dust" resdir=".">
  <execute on="loaded" title="Define functions">
<job/>
  </execute>
  <execute id="b" title="B">
    <on>loaded</on>
    <job><code>rd.plates = rd.getById("plates")</code></job>
  </execute>
  <table id="plates"/>
</resource>
