<resource schema="plates" resdir=".">
  <FEED source="//procs#report" what="one"/>
  <FEED source="__system__/procs#report" what="two"/>
  <FEED source="//lib_tools#clean" what="three"/>
  <FEED source="%#mine" what="four"/>
  <FEED source="//nowhere#x" what="five"/>
</resource>
