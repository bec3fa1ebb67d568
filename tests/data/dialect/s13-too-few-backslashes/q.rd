<resource schema="plates" resdir=".">
  <LOOP listItems="a"><events>
    <execute title="T" every="60">
      <job><code>
        print("\nfoo")
        print("\\x41")
      </code></job>
    </execute>
  </events></LOOP>
</resource>
