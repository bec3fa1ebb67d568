<resource schema="dust" resdir=".">
  <execute title="Tidy up" at="7:30">
    <job><Setup/><procdef>a</procdef><CODE>pass</CODE></job>
  </execute>
</resource>
