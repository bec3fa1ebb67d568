<resource schema="plates" resdir=".">
  <LOOP listItems="a b"><events>
    <procDef id="p_\item">
      <code>
        print("\item"
      </code>
    </procDef>
  </events></LOOP>
  <procDef id="loops">
    <setup><LOOP listItems="a b"><events><par key="\item\item">1 +</par></events></LOOP></setup>
  </procDef>
</resource>
