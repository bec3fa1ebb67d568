<resource schema="plates" resdir=".">
  <LOOP listItems="a b c"><events><execute title="Same" every="60"><job><code>print("\item")</code></job></execute></events></LOOP>
</resource>
