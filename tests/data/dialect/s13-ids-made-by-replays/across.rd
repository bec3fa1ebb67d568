<resource schema="plates" resdir=".">
  <execute title="Across" every="60"><job procDef="lib_procs#proc_y"/></execute>
</resource>
