<resource schema="dust" resdir=".">
  <execute title="Tidy up" at="7:30">
    <job>os.remove("old.log")</job>
  </execute>
</resource>
