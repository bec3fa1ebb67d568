<resource schema="bad" resdir=".">
  <meta name="title">ä</meta>
  <execute title="T" at="1:00">
    <job><cod>pass</code></job></execute>
</resource>
