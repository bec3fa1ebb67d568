<resource schema="dust" resdir=".">
  <execute title="A" at="7:30">
    <job><setup code="a = 1"><code>b = 2</code><codeFrags>c = 3</codeFrags><code/></setup>
      <setup><code>d = 4</code></setup></job>
  </execute>
</resource>
