<resource schema="bad" resdir=".">
  <execute title="T" at="1:00"><job><code>
    print("\upper{a}{b}", "\upper", "\reSub{[}{}{x}")
  </code></job></execute>
</resource>
