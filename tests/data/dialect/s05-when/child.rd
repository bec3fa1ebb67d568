<resource schema="dust" resdir=".">
  <execute title="A" every="60"><at>7:30</at><job/></execute>
</resource>
