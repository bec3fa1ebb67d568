<resource schema="dust" resdir=".">
  <execute title="Tidy up" at="7:30">
    <owner>ops</owner>
    <job>
      <lang/>
      <setup><import>os</import></setup>
    </job>
  </execute>
</resource>
