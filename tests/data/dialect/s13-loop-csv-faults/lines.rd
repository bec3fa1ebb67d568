<resource schema="plates" resdir=".">
  <LOOP><csvItems>
    name,query
    one,"SELECT *
FROM plates"
  </csvItems><events><execute title="\name" every="60"><property name="q">\query</property><job><code>pass</code></job></execute></events></LOOP>
</resource>
