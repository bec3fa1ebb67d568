<resource schema="dust" resdir=".">
  <execute title="A" at="7:30">
    <job><setup><par key="a">1
          b = 2</par></setup></job>
  </execute>
</resource>
