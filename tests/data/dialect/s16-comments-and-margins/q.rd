<resource schema="plates" resdir=".">
  <execute title="Comments only" every="60">
    <job><code>
      # nothing yet
      # really
    </code></job>
  </execute>
  <execute title="Margin" every="60">
    <job><code>
      text = """one
two"""
# a comment at the margin
      print(text)
    </code></job>
  </execute>
  <execute title="Inline" every="60">
    <job><code>if rd:
        print("block")
    </code></job>
  </execute>
</resource>
