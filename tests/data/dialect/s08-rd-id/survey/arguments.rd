<resource schema="survey">
  <execute title="Report" every="3600">
    <job><code>
      print("\rdId{survey}")
      print("\rdIdDotted{survey}")
      print("\schema{survey}")
      print("\resdir{x}")
      print("\today{%Y}")
    </code></job>
  </execute>
</resource>
