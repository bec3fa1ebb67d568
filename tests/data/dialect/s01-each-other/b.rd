<resource schema="dust" resdir=".">
<procDef id="derived" original="a#base"><setup imports="os"/></procDef>
  <execute title="Tidy up" at="7:30">
    <job procDef="a#base"></job>
  </execute>
</resource>
