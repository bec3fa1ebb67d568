<resource schema="bad" resdir=".">
  <!-- a -- b -->
</resource>
