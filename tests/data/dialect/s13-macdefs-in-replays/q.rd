<resource schema="plates" resdir=".">
  <LOOP listItems="raw reduced"><events><macDef name="dir_\item">/data/\item/\\schema</macDef></events></LOOP>
  <execute title="T" every="60"><job><code>print("\dir_raw", "\dir_reduced")</code></job></execute>
</resource>
