<resource schema="plates" resdir=".">
  <macDef name="limit">17</macDef>
  <procDef id="harvest">
    <setup imports="os">
      <par key="most">\limit</par>
      <par key="least">0</par>
      <par key="table" late="True">rd.schema + ".\schema\+_raw"</par>
      <code>where = "\rdId"</code>
    </setup>
    <code>print("\rdId", most, least, table, where)</code>
  </procDef>
  <execute title="Everywhere" every="3600">
    <job procDef="harvest"><bind key="least">\limit - 1</bind></job>
  </execute>
</resource>
