<resource schema="s" resdir="../s16-a-folder-that-begins-alike-2">
  <execute title="Outside" every="60"><job><code>print("\resdir")</code></job></execute>
</resource>
