<html>
<procDef id='tidy'><code>pass</code></procDef></html>
