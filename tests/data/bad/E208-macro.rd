<resource schema="bad" resdir=".">
  <execute title="T" at="1:00"><job><code>print("\getConfig{web}{serverURL}")</code></job></execute>
</resource>
