<?xml version="1.0"?>
<?xml-model href="http://example.org/rd.rng" schematypens="http://relaxng.org/ns/structure/1.0"?>
<resource schema="plates" resdir="." xmlns="http://example.org/rd" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:schemaLocation="http://example.org/rd rd.xsd">
  <STREAM id="s"><execute title="\name" every="60" xsi:nil="false"><job><code>pass</code></job></execute></STREAM>
  <FEED source="s" name="Fed" xsi:nil="false"/>
  <r:execute xmlns:r="http://example.org/rd" title="Prefixed" every="60"><r:job><r:code>pass</r:code></r:job></r:execute>
</resource>
