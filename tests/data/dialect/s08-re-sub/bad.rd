<resource schema="s" resdir=".">
  <execute title="Bad" every="3600">
    <job><code>
      print("\reSub{(}{_}{spectra}")
      print("\reSub{a}{\7}{spectra}")
      print("\reSub{a}{b}")
      print("\reSub{a}{b}{c}{d}")
    </code></job>
  </execute>
</resource>
