<resource schema="plates" resdir=".">
  <procDef id="p">
    <setup><LOOP listItems="J H"><events><par key="f_\item">"\item"</par></events></LOOP></setup>
    <FEED what="bands"><events><code>print("\what", f_J, f_H, "\\schema")</code></events></FEED>
  </procDef>
  <execute title="Uses" every="60"><job procDef="p"><bind key="f_H">"h"</bind></job></execute>
  <execute title="Copies" every="60"><job original="p"/></execute>
</resource>
