<resource schema="bad" resdir=".">
  <execute titel="T" att="1:00" debug="x"><job><code>pass</code></job></execute>
  <execute title="U" at="25:00"><job codes="x"/></execute>
  <execute title="V" every="x"><job><code>x ==</code></job></execute>
</resource>
