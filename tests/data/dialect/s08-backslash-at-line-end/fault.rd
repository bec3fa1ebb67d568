<resource schema="plates" resdir=".">
  <execute title="Continued" every="3600">
    <job><code>
      total = 1 + \
        2
      print(total
      print(total)
    </code></job>
  </execute>
</resource>
