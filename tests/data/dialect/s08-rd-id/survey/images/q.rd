<resource schema="survey">
  <execute title="Report" every="3600">
    <job><code>print("\rdId", "\rdIdDotted")</code></job>
  </execute>
</resource>
