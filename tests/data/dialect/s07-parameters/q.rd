<resource schema="dust" resdir=".">
  <execute title="A" at="7:30">
    <job>
      <setup>
        <par key="a">17</par>
        <par name=" b ">  "x" + "y"  </par>
        <par key="c" late="True" description="When it began."> rd.loadedAt </par>
        <par key="d"><description>Folders.</description>[
          "a",
          "b"]</par>
        <par key="größe">{1: (2, 3)}</par>
        <par key="e">\quote{\rdId}</par>
        <par key="f">a &lt; 1</par>
      </setup>
      <code>pass</code>
</job>
  </execute>
</resource>
