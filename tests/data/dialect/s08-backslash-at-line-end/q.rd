<resource schema="plates" resdir=".">
  <execute title="Continued" every="3600">
    <job><code>
      total = 1 + \
        2
      text = "one \
two"
      print(total)
    </code></job>
  </execute>
</resource>
