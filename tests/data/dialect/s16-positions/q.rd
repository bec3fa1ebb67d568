<resource schema="plates" resdir=".">
  <execute
      title="Attribute"
      every="often">
    <job><code>
      x = 1

      y = = 2
    </code></job>
  </execute>
  <execute title="Setup" every="60">
    <job>
      <setup>
        <code>
          a = 1
          b = (
        </code>
      </setup>
    </job>
  </execute>
  <execute title="Missing" every="60">
    <property name="p">1</property>
  </execute>
</resource>
