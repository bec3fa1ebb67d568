<resource schema="plates" resdir=".">
  <macDef name="root">/data</macDef>
  <LOOP listItems="a b"><events>
    <execute title="\item of \rdId" every="60"><job><code>print("\rdIdDotted", "\schema", "\resdir", "\root/\item")</code></job></execute>
  </events></LOOP>
</resource>
