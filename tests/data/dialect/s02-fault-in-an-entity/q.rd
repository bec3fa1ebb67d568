<!DOCTYPE resource [
  <!ENTITY tidy "<job><code>rd.tidy(</code></job>">
  <!ENTITY time "7:30pm">
]>
<resource schema="dust" resdir=".">
  <execute title="A" at="8:30">
    &tidy;
  </execute>
  <execute title="B" at="&time;">
<job/>
  </execute>
</resource>
