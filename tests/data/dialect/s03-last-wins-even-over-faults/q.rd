<resource schema="dust" resdir=".">
  <execute title="A" every="often">
    <every>120</every>
    <job/>
  </execute>
</resource>
