<resource schema="dust" resdir=".">
  <execute title="A" at="7:30">
    <job><setup>
        <code>
          def f():
              pass
        </code>
        <code>x = 1
              y = 2</code>
      </setup></job>
  </execute>
</resource>
