<resource schema="plates" resdir=".">
  <execute title="Own" every="60"><job><code>pass</code></job></execute>
  <LOOP><listItems>1</listItems><source>lib#s_b</source><EDIT ref="execute[x]" debug="True"/></LOOP>
</resource>
