<!DOCTYPE resource [<!ENTITY a "&b;"><!ENTITY b "&a;">]>
<resource schema="bad" resdir=".">
  <meta name="title">&a;</meta>
  <execute title="T" at="1:00"><job><code>pass</code></job></execute>
</resource>
