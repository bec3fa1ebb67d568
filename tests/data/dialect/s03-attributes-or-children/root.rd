<resource>
  <execute title="Tidy up" at="7:30">
<job/>
  </execute>
<resdir>.</resdir><schema>dust</schema></resource>
