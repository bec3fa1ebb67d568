<resource schema="bad" resdir=".">
  <execute title="T" at="1:00"><property name="p">a \nope{x} b</property><job><code>pass</code></job></execute>
</resource>
