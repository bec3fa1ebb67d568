<d:resource schema="dust" resdir=".">
  <d:execute title="Tidy up" at="7:30">
    <d:job><x:code>pass</x:code></d:job>
  </d:execute>
</d:resource>
