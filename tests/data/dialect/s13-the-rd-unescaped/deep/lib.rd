<resource schema="lib" resdir=".">
  <STREAM id="s"><execute title="\rdId \schema" every="60"><job><code>print("\rdIdDotted", "\resdir", "\root", "\\root")</code></job></execute></STREAM>
</resource>
