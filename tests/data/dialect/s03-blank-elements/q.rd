<resource schema="dust" resdir="."><schema/><resdir> </resdir>
  <execute id="a" title="Tidy up" at="7:30" debug="True">
    <title/><at/><every>
    </every><on> </on><debug/><id><!-- none --></id>
    <job code="pass"><code/><name/><doc> </doc><type/></job>
  </execute>
</resource>
