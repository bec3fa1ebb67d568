<resource schema="dust" resdir=".">
  <execute title="A" at="7:30">
    <job><code>
      for p in rd.plates():
        yield p
    </code></job>
  </execute>
</resource>
