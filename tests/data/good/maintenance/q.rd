<?xml version="1.0" encoding="iso-8859-1"?>
<?xml-model href="gavo-exec.rng" type="application/xml"?>
<!DOCTYPE resource [
  <!ENTITY admin "J. Müller">
  <!ENTITY twice "<property name='first'>1</property><property name='second'>2</property>">
  <!ENTITY lines "import os
      print(os.getcwd())">
  <!ATTLIST execute debug CDATA "on">
]>
<d:resource schema="maintenance" resdir="/usr/">
  <d:meta name="creator">&admin;</d:meta>
  <jobs id="entities" title="Für &admin;" every="60">
    &twice;
    <job><code>
      &lines;
      print("a" &lt; "b")
    </code></job>
  </jobs>
  <execute title="Nichts" at="0:05" debug="FALSE"><job/></execute>
  <execute title="Kommentare" at="0:10"><job><code>
    # nothing to do at present
  </code></job></execute>
  <execute title="Attribut" at="0:20">
    <job
      code="print(1)&#10;print(2)"/>
  </execute>
</d:resource>
