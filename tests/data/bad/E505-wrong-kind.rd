<resource schema="s" resdir=".">
  <table id="plates"/>
  <execute id="fetch" title="T" at="1:00">
    <job procDef="plates"/>
  </execute>
  <execute title="U" at="1:00">
    <job original="fetch"/>
  </execute>
</resource>
