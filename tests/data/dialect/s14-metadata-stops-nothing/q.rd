<resource schema="plates" resdir=".">
  <meta name="title" format="rst" lang="de">Plates</meta>
  <meta>
    this line is none
    broken: \nothing{
  </meta>
  <meta name="_related" title="x"><p>markup</p></meta>
  <meta name="broken2">\metaString{absent}</meta>
  <table id="t">
    <meta name="title">The table</meta>
    <meta name="instrument">Bruce</meta>
  </table>
  <execute title="Runs" every="3600">
    <job><code>
      print("\metaString{title}", "\metaString{instrument}{none}")
    </code></job>
  </execute>
</resource>
