"""The control socket: HTTP and JSON on a Unix socket in the state directory, for its owner alone.

The server asks whatever is a ``Control``; the client is what commands use.  Neither needs the other's imports, which
take longer than most commands.
"""
