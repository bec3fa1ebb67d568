<!DOCTYPE resource [
  <!ENTITY centre "Observatory of &city;">
  <!ENTITY city "Nowhere">
  <!ENTITY times "7:30, w1 8:30">
  <!ENTITY tidy '<job><code>rd.tidy("&centre;")</code></job>'>
]>
<resource schema="dust" resdir=".">
  <execute title="Tidy &centre;" at="&times;">
&tidy;
  </execute>
  <execute every="&#51;600">
<title>Again at &city;</title>&tidy;
  </execute>
</resource>
