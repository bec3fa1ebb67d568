<resource schema="s" resdir=".">
  <execute title="Names" every="3600">
    <job><code>print("\reSub{[aeiou]}{_}{spectra}", "\reSub{^pre}{}{prefix}", "\reSub{(a)(b)}{\2\1}{ab}")</code></job>
  </execute>
</resource>
