<resource schema="plates" resdir=".">
  <macDef name="site">Heidelberg</macDef>
  <LOOP><csvItems>
    name ,  hour,title
    one,  3 , "Plates, old"
    two,4,"a ""quoted"" word"

    three, 5,
    \schema,6, \site
  </csvItems><events><execute id="\name" title="T \title" at="\hour:00"><job><code>pass</code></job></execute></events></LOOP>
</resource>
