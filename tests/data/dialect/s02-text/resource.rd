<resource schema="dust" resdir=".">
To do: tables
  <execute title="Tidy up" at="7:30">
<job/>
  </execute>
.
</resource>
