<resource schema="plates" resdir=".">
  <STREAM id="s">
    <execute id="e_\name" title="\upper{\name}" at="\hours" debug="\bool">
      <property name="\name" cumulate="\bool">\quote{\name}</property>
      <job name="\name"><setup imports="\mods"><par key="\name">\sqlquote{\name}</par></setup><code>print("\today")</code></job>
    </execute>
  </STREAM>
  <FEED source="s" name="night" hours="3:00, w1 4:00" bool="True" mods="os, json"/>
</resource>
