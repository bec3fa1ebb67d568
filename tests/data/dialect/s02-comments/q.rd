<!-- dust -->
<resource schema="dust" resdir=".">
  <execute >
    <!-- <job/> -->
    <title>Tidy<!-- or
      not --> up<?php no ?></title>
    <at>7<!-- -->:30<!-- , 8:30 --></at>
    <property name="dir">a<!-- b -->c</property>
    <job><?x y?>
      <setup><par key="n">1<!-- 2 -->3</par></setup>
      <code>
        x = 1<!--
        x = 2 -->
        y = 3
      </code>
    </job>
  </execute>
</resource>
<!-- end -->
