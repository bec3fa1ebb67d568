<resource schema="dust" resdir=".">
  <execute title="A" at="7:30">
    <job><code>
      if 1 < 2:
        pass
    </code></job>
  </execute>
</resource>
