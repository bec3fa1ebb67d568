<resource schema="dust" resdir=".">
  <execute title="A" at="7:30">
    <job><code>
      print "tidy"
    </code></job>
  </execute>
</resource>
