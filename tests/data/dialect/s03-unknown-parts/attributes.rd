<resource schema="dust" resdir=".">
  <execute title="A" at="7:30" owner="ops">
    <job lang="python">
      <setup when="now"><par key="a" unit="s">1</par></setup>
      <bind key="a" late="True">2</bind>
    </job>
  </execute>
</resource>
