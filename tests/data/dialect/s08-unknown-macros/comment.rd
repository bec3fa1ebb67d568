<resource schema="plates" resdir=".">
  <execute title="Comment" every="3600">
    <job>
      <setup><code>
        # as in \nofurther
        limit = 3
      </code></setup>
      <code>
        # the path is \inputsDir/x, see \rdId and \metaString{nothing}
        print("# \rdId")  # and \u00e4
      </code>
    </job>
  </execute>
</resource>
