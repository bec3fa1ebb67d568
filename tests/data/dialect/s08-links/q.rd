<resource schema="s" resdir=".">
  <execute title="Link" every="3600">
    <job><code>print("\internallink{/s/q/web/form}", "\internallink{s/q}")</code></job>
  </execute>
  <execute title="RST" every="3600">
    <job><code>print("\RSTservicelink{s/q/web}", "\RSTservicelink{s/q/web}{the plates}", "\RSTtable{s.plates}")</code></job>
  </execute>
  <execute title="Licences" every="3600">
    <job><code>print("\RSTccby{The plates}", "\RSTccbysa{The plates}", "\RSTcc0{The plates}")</code></job>
  </execute>
</resource>
