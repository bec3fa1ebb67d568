<!DOCTYPE resource [<!ENTITY bands "J H">]>
<resource schema="plates" resdir=".">
  <!-- the bands -->
  <LOOP listItems="&bands;">
    <!-- within -->
    <events><!-- here --><execute title="\item" every="60"><!-- there --><job><code>print(<!-- x -->"\item &lt; 2")</code></job></execute></events>
  </LOOP>
</resource>
