<resource schema="dust" resdir=".">
  <execute title="  Fetch \rdId&#10;\nowhere " at="7:30">
<job/>
  </execute>
  <execute at="7:30">
    <title>
      Tidy
    </title>
    <job/>
  </execute>
</resource>
