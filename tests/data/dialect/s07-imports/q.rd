<resource schema="dust" resdir=".">
  <execute title="A" at="7:30">
    <job>
      <setup imports="os, os.path, xml.etree.ElementTree, json as j, os.path as p"/>
      <setup><imports>re,
          sys</imports></setup>
    </job>
  </execute>
</resource>
