<resource schema="bad" resdir=".">
  <execute title="T" at="1:00"><job>
    print(1)
  </job></execute>
  <execute title="U" at="1:00">daily<job><code>pass</code></job></execute>
</resource>
