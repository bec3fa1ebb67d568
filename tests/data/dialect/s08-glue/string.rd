<resource schema="plates" resdir=".">
  <execute title="Glue in a string" every="3600">
    <job><code>
      # matches \+ or so
      pat = re.compile("[0-9]\+")
    </code></job>
  </execute>
</resource>
