<resource schema="dust" resdir=".">
  <execute title="A" at="6:30">
    <at>7:30</at>
    <at>w1 8:30, 9:30</at>
    <job/>
  </execute>
</resource>
