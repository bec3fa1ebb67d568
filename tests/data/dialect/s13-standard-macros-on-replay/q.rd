<resource schema="plates" resdir=".">
  <LOOP listItems="Ab"><events>
    <execute title="\upper{\item} \lower{\item} \decapitalize{\item} \quote{\item} \sqlquote{\item}" every="60">
      <property name="reSub">\reSub{A}{B}{\item}</property>
      <property name="urlquote">\urlquote{a \item}</property>
      <property name="getConfig">\getConfig{cacheDir} \getConfig{web}{serverURL}</property>
      <property name="internallink">\internallink{\item/q}</property>
      <property name="rest">\today \magicEmpty{} \magicEmpty{\item}</property>
      <job><code>print(r"""\test \RSTtable{\item}""" != "")</code></job>
    </execute>
  </events></LOOP>
</resource>
