"""The exit codes; the reference and the manual page are made from this table."""

DONE = 0
FAILED = 1
WRONG_USE = 2
NO_DAEMON = 3
CTRL_C = 130
BROKEN_PIPE = 141

MEANINGS = {
    DONE: "all went well",
    FAILED: "the thing itself failed: an RD is invalid, a run failed, or the command could not do its work",
    WRONG_USE: "wrong use: unknown options, executes or runs, unusable settings",
    NO_DAEMON: "no daemon runs that could be asked",
    CTRL_C: "ended by Ctrl-C",
    BROKEN_PIPE: "nobody read the output to its end",
}
