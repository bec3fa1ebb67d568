<resource schema="s" resdir=".">
  <execute title="Bad" every="3600">
    <job><code>
      print("\internallink")
      print("\RSTservicelink", "\RSTservicelink{a}{b}{c}")
      print("\RSTtable{a}{b}")
      print("\RSTccby", "\RSTccbysa", "\RSTcc0{a}{b}")
    </code></job>
  </execute>
</resource>
