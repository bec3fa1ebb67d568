<resource schema="plates" resdir=".">
  <execute title="Ingest new files" every="3600">
    <job><code>print(1)</code></job>
  </execute>
  <execute title="Ingest new files" every="7200">
    <job><code>print(2)</code></job>
  </execute>
  <execute title="ingest: new files!" every="7200">
    <job><code>print(3)</code></job>
  </execute>
  <execute id="own" title="Ingest new files" every="7200">
    <job><code>print(4)</code></job>
  </execute>
</resource>
