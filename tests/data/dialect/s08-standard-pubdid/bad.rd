<resource schema="s" resdir=".">
  <execute title="Bad" every="3600">
    <job><code>
      print("\sql_standardPubDID{a}{b}")
    </code></job>
  </execute>
</resource>
