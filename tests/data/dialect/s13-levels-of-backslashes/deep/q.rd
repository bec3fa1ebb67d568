<resource schema="plates" resdir=".">
  <LOOP listItems="a"><events>
    <execute title="T" every="60">
      <property name="once">\\schema</property>
      <job><code>
        # \\\\rdId
        print("\\rdId", "\\\\rdId", r"\\\\section")
        print("\n", "\\n", "\\\\n")
        re.match(r"\d+\\d+", "\item\\\\nfoo")
      </code></job>
    </execute>
  </events></LOOP>
</resource>
