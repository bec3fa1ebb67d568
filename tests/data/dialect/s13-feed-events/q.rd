<resource schema="plates" resdir=".">
  <FEED name="Plates" every="60">
    <events>
      <execute title="\name" every="\every"><job><code>print("\name")</code></job></execute>
    </events>
  </FEED>
</resource>
