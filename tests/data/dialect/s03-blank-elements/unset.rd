<resource schema="dust" resdir=".">
  <execute><title/><at> </at><job/></execute>
</resource>
