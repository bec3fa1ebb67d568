<resource schema="plates" resdir=".">
  <STREAM id="s">
    <execute id="one" title="One" every="60">
      <property name="old_p">1</property><property name="new_p">2</property>
      <job><setup><par key="old_limit">1</par><par key="limit">2</par></setup><code>pass</code></job>
    </execute>
  </STREAM>
  <FEED source="s"><PRUNE name="^old"/><PRUNE key="^old"/></FEED>
</resource>
