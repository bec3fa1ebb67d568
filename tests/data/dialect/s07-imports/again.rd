<resource schema="dust" resdir=".">
  <execute title="A" at="7:30">
    <job><setup imports="os">
        <imports>re</imports>
        <imports>json</imports>
      </setup></job>
  </execute>
</resource>
