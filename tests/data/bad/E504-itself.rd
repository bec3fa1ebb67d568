<resource schema="s" resdir=".">
  <execute title="T" at="1:00">
    <job id="fetch" original="fetch"/>
  </execute>
</resource>
