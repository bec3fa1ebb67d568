<resource schema="plates" resdir=".">
  <execute title="Early" every="60"><job procDef="p_a"/></execute>
  <LOOP listItems="a b"><events><procDef id="p_\item"><code>print("\item")</code></procDef></events></LOOP>
</resource>
