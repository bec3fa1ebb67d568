<resource schema="plates" resdir=".">
  <execute title="C:\\data" every="60"><job><code>pass</code></job></execute>
  <FEED><events><execute title="C:\\data\+, D:\d" every="60"><job><code>pass</code></job></execute></events></FEED>
</resource>
