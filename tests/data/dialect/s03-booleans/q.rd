<resource schema="dust" resdir=".">
  <execute id="true" title="A" at="7:30" debug="true">
<job/>
  </execute>
  <execute id="Yes" title="A" at="7:30" debug="Yes">
<job/>
  </execute>
  <execute id="T" title="A" at="7:30" debug="T">
<job/>
  </execute>
  <execute id="oN" title="A" at="7:30" debug="oN">
<job/>
  </execute>
  <execute id="enabled" title="A" at="7:30" debug="enabled">
<job/>
  </execute>
  <execute id="1" title="A" at="7:30" debug="1">
<job/>
  </execute>
  <execute id="FALSE" title="A" at="7:30" debug="FALSE">
<job/>
  </execute>
  <execute id="no" title="A" at="7:30" debug="no">
<job/>
  </execute>
  <execute id="f" title="A" at="7:30" debug="f">
<job/>
  </execute>
  <execute id="Off" title="A" at="7:30" debug="Off">
<job/>
  </execute>
  <execute id="disabled" title="A" at="7:30" debug="disabled">
<job/>
  </execute>
  <execute id="0" title="A" at="7:30" debug="0">
<job/>
  </execute>
</resource>
