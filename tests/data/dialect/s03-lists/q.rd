<resource schema="dust" resdir=".">
  <execute title="A" at=" 7:30 ,, w1  8:30,
  9:30,">
    <job><setup imports=" os.path ,, json,"/></job>
  </execute>
</resource>
