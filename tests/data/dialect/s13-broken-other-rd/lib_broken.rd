<resource schema="x">
  <STREAM id="s"><execute title="T" every="60"/>
</resource>
