<resource schema="plates" resdir=".">
  <execute title="Plain&#10;Bcc: everyone@example.org" every="3600"><job><code>pass</code></job></execute>
  <execute every="3600"><title>
    Over lines
  </title><job><code>pass</code></job></execute>
</resource>
