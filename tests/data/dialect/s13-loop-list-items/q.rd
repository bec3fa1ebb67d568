<resource schema="plates" resdir=".">
  <macDef name="bands">u g</macDef>
  <LOOP listItems="J H
      K"><events><execute title="Band \item" every="60"><job><code>pass</code></job></execute></events></LOOP>
  <LOOP><listItems>
    \bands  \schema
  </listItems><events><execute title="Band \item" every="60"><job><code>pass</code></job></execute></events></LOOP>
</resource>
