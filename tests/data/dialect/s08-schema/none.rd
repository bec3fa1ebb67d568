<resource resdir=".">
  <execute title="Clean" every="3600">
    <job><code>
      os.unlink("/tmp/\schema.lock")
    </code></job>
  </execute>
</resource>
