<resource schema="dust" resdir=".">
  <table id="t"/>
  <STREAM id="s"/>
</resource>
