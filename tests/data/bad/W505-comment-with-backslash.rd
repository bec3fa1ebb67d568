<resource schema="bad" resdir=".">
  <execute title="Copy" at="1:00"><job><code>
    # from C:\data\
    copy = True
    # from C:\data\\
    # or D:\data\
    # and so on
    print(copy, "# \
      no comment")
  </code></job></execute>
</resource>
