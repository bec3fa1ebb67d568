<resource schema="plates" resdir=".">
  <table id="t" onDisk="perhaps" mixin="//nothing#there">
    <column original="no.such"/>
    <brandNewElement/>
  </table>
  <data id="import"><make table="missing"><rowmaker><map>?</map></rowmaker></make></data>
  <service id="s" core="nowhere"><unheardOf/></service>
  <FEED source="//nothing#there"/>
  <procDef id="broken"><code>print(</code></procDef>
  <execute title="Runs all the same" every="3600">
    <job><code>print("\schema")</code></job>
  </execute>
</resource>
