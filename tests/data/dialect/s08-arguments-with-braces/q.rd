<resource schema="plates" resdir=".">
  <execute title="Braces" every="3600">
    <job><code>
      print("\upper{a\{b\}c}", "\upper{a{b}", "\upper{a{b}c}")
      data = {"a": "\upper{x}"}
    </code></job>
  </execute>
</resource>
