<resource schema="plates" resdir=".">
  <LOOP listItems="a b" reexpand="maybe"><events passivate=" yes">
    <execute title="\item" every="60"><job><code>pass</code></job></execute>
  </events></LOOP>
</resource>
