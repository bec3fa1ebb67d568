<resource schema="plates" resdir=".">
  <LOOP listItems="a b"><events>
    <procDef id="p_\item"><code>print("\item")</code></procDef>
    <execute id="e_\item" title="E \item" every="60"><job id="j_\item"><code>print("job \item")</code></job></execute>
  </events></LOOP>
  <LOOP listItems="c d"><events passivate="True">
    <STREAM id="s_\item"><execute title="\item \\name" every="60"><job procDef="p_a"/></execute></STREAM>
  </events></LOOP>
  <execute title="Procedure" every="60"><job procDef="p_a"/></execute>
  <execute title="Original" every="60"><job original="j_b"/></execute>
  <execute title="Original procDef" every="60"><job original="p_b"/></execute>
  <FEED source="s_c" name="fed"/>
  <FEED source="s_d" name="fed" reexpand="True"/>
</resource>
