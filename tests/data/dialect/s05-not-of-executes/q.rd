<resource schema="dust" resdir=".">
  <execute title="A" at="7:30" original="b" name="tidy" description="Tidies." rd="q">
    <meta name="a">b</meta>
    <description>Tidies.</description>
    <rd>q</rd>
    <job/>
  </execute>
</resource>
