<resource schema="demo" resdir=".">
  <meta name="title">A job that fails on purpose, to show what you are told then</meta>

  <!-- Its program ends with code 3, so the run has failed: that is logged, recorded and mailed. -->
  <execute id="fetch" title="Fetch what is not there" every="-600">
    <job>
      <code>
        execDef.spawnPython("bin/fetch.py", "m31.fits")
      </code>
    </job>
  </execute>
</resource>
