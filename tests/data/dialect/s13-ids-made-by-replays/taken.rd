<resource schema="plates" resdir=".">
  <procDef id="p_a"><code>print("old")</code></procDef>
  <LOOP listItems="a"><events><procDef id="p_\item"><code>print("made")</code></procDef></events></LOOP>
  <execute title="Made" every="60"><job procDef="p_a"/></execute>
  <procDef id="p_a"><code>print("new")</code></procDef>
  <execute title="New" every="60"><job procDef="p_a"/></execute>
</resource>
