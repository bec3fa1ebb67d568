<resource schema="plates" resdir=".">
  <LOOP listItems="x y"><events><procDef id="proc_\item"><code>print("\item of \\rdId")</code></procDef></events></LOOP>
</resource>
