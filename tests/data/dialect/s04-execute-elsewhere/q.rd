<resource schema="dust" resdir=".">
  <table id="t"><execute title="A" at="7:30"><job/></execute></table>
  <service id="s"><data><execute/></data></service>
  <execute title="Tidy up" at="7:30">
<job/>
  </execute>
</resource>
