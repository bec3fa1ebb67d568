<resource schema="s" resdir=".">
  <execute title="T" at="1:00">
    <job>
      <setup><par key="url" alias="address">"http://example.org"</par></setup>
      <bind key="address">"x"</bind>
      <bind key="url">"y"</bind>
      <code>fetch(url)</code>
    </job>
  </execute>
</resource>
