<resource schema="plates" resdir=".">
  <LOOP listItems="a b">
    <events>
      <execute title="\item" every="60">
        <property name="x"> </property>
        <job><code>
          text = "\item \
            \item"
          if text:
          print()
        </code></job>
      </execute>
    </events>
  </LOOP>
</resource>
