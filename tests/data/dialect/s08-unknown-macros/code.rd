<resource schema="plates" resdir=".">
  <execute title="Typo" every="3600">
    <job>
      <setup><code>home = "\rsedir/data"</code></setup>
      <code>
        print("\rdID")
      </code>
    </job>
  </execute>
</resource>
