<resource schema="dust" resdir=".">
  <execute title="A" at="7:30">
    <job><setup><code>
        import os
        return
      </code></setup></job>
  </execute>
</resource>
