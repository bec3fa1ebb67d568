<resource schema="dust" resdir=".">
  <execute title="A" at="7:30">
    <job><setup imports="os, os.path, xml.etree.ElementTree, json as j, os.path as p">
        <imports>re,
          sys</imports>
        <imports>gavo.base</imports>
      </setup></job>
  </execute>
</resource>
