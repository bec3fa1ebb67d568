<resource schema="dust" resdir=".">
  <execute title="Tidy up" at="7:30">
    <job><setup original="lib#tidy.prep"/></job>
  </execute>
</resource>
